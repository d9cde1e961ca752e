import { Agent, fetch as undiciFetch, type Response as UndiciResponse } from "undici";
import type { FetchLike } from "@modelcontextprotocol/client";
import { hostAndPort, refusalForUrl } from "../fetch-guard.ts";
import { createPinnedConnector, refused, type ResolveHost } from "../pinned-connect.ts";
import { limitBody } from "./body-limit.ts";

/** The connections to one server. */
export interface ServerFetch {
  readonly fetch: FetchLike;
  /** Ends every connection, requests under way included. */
  close(): Promise<void>;
}

export interface ServerFetchOptions {
  readonly url: URL;
  /** For requests to the server's own origin. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly allowed: ReadonlySet<string>;
  readonly resolve: ResolveHost;
  readonly maxBytes: number;
  /** How long one request may take, streams of events that never end excepted. */
  readonly requestMs: number;
}

/** A fetch that reaches public addresses and the `allowed` ones, sends `headers` to the server alone, and reads in limits. */
export function createServerFetch(options: ServerFetchOptions): ServerFetch {
  const { url: server, headers, allowed, resolve, maxBytes, requestMs } = options;
  // Long calls and quiet streams have limits of their own, in `requestMs` and with the caller.
  const open = (unguarded: boolean) =>
    new Agent({ connect: createPinnedConnector(resolve, unguarded), headersTimeout: 0, bodyTimeout: 0 });
  const agents = { guarded: open(false), unguarded: open(true) };
  const guardedFetch: FetchLike = async (address, init = {}) => {
    const url = new URL(address);
    const reason = refusalForUrl(url, allowed);
    if (reason !== undefined) throw refused(url.host || url.protocol, reason);
    const sent = new Headers(init.headers);
    if (url.origin === server.origin) for (const [name, value] of Object.entries(headers())) sent.set(name, value);
    if (init.body instanceof URLSearchParams && !sent.has("content-type"))
      sent.set("content-type", "application/x-www-form-urlencoded");
    const endless = init.method === "GET" || sent.get("mcp-method") === "subscriptions/listen";
    const response = await undiciFetch(url.href, {
      method: init.method ?? "GET",
      headers: [...sent],
      body: bodyOf(init.body),
      // Redirects are followed by the client library, within the origin only; each comes back here and is judged.
      redirect: "manual",
      signal: limitTime(init.signal ?? undefined, endless ? undefined : requestMs),
      dispatcher: allowed.has(hostAndPort(url)) ? agents.unguarded : agents.guarded,
    });
    return toResponse(response, maxBytes);
  };
  return {
    fetch: guardedFetch,
    close: async () => {
      await Promise.all([agents.guarded.destroy(), agents.unguarded.destroy()]);
    },
  };
}

function bodyOf(body: RequestInit["body"]): string | null {
  if (body === null || body === undefined) return null;
  if (typeof body === "string") return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError("only text is sent to a server");
}

function limitTime(signal: AbortSignal | undefined, ms: number | undefined): AbortSignal | null {
  const limits = [...(signal === undefined ? [] : [signal]), ...(ms === undefined ? [] : [AbortSignal.timeout(ms)])];
  return limits.length === 0 ? null : AbortSignal.any(limits);
}

const WITHOUT_BODY = new Set([101, 204, 205, 304]);

// The client library works with the platform's own responses, and undici's are another class.
function toResponse(response: UndiciResponse, maxBytes: number): Response {
  const { status, statusText } = response;
  const headers = new Headers([...response.headers]);
  const endless = headers.get("content-type")?.startsWith("text/event-stream") === true;
  const body =
    response.body === null || WITHOUT_BODY.has(status) ? null : response.body.pipeThrough(limitBody(maxBytes, endless));
  return new Response(body, { status, statusText, headers });
}
