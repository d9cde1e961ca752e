// @ts-check
import { Failure } from "../state/failures.js";

/**
 * @typedef {object} Requests
 * @property {(method: string, path: string, body?: object, ms?: number) => Promise<unknown>} call
 *   Asks for JSON, and waits `ms` for the answer. Throws `Failure` for every answer that is not a success, and when none came.
 * @property {(path: string, headers: Record<string, string>, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>} stream
 *   Opens an event stream. Throws like `call`.
 */

const ANSWER_MS = 20_000;

/**
 * Talks to the server the page came from. `key` is read at every request and sent as a bearer token; `onUnauthorized` is
 * called when the server wants one, or another one.
 * @param {{ fetch: typeof globalThis.fetch, key: () => string | undefined, onUnauthorized: () => void }} parts
 * @returns {Requests}
 */
export function createRequests({ fetch, key, onUnauthorized }) {
  /** @param {string} path @param {Record<string, string>} headers @param {Omit<RequestInit, "headers">} init */
  async function ask(path, headers, init) {
    const bearer = key();
    const all = bearer === undefined ? headers : { ...headers, authorization: `Bearer ${bearer}` };
    const response = await fetch(path, { ...init, headers: all, cache: "no-store" }).catch(() => {
      throw unreachable();
    });
    if (response.ok) return response;
    if (response.status === 401 && key() === bearer) onUnauthorized();
    throw await readFailure(response);
  }

  return {
    async call(method, path, body, ms = ANSWER_MS) {
      const signal = AbortSignal.timeout(ms);
      const response =
        body === undefined
          ? await ask(path, {}, { method, signal })
          : await ask(path, { "content-type": "application/json" }, { method, signal, body: JSON.stringify(body) });
      if (response.status === 204) return undefined;
      /** @type {unknown} */
      const answer = await response.json().catch(() => {
        throw unreachable();
      });
      return answer;
    },

    async stream(path, headers, signal) {
      const response = await ask(path, { accept: "text/event-stream", ...headers }, { signal });
      if (response.body === null) throw unreachable();
      return response.body;
    },
  };
}

function unreachable() {
  return new Failure("The server cannot be reached.", { status: 0, code: "unreachable" });
}

/** @param {Response} response */
async function readFailure(response) {
  const { status } = response;
  /** @type {unknown} */
  const body = await response.json().catch(() => undefined);
  const error = body !== null && typeof body === "object" && "error" in body ? body.error : undefined;
  if (error !== null && typeof error === "object" && "code" in error && "message" in error)
    return new Failure(String(error.message), { status, code: String(error.code) });
  return new Failure(`The server answered ${status}.`, { status, code: "unknown" });
}
