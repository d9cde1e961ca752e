import { Agent, fetch } from "undici";
import { OutsideError } from "../../kernel/errors.ts";
import type { Effect } from "../contract.ts";
import { hostAndPort, refusalForUrl } from "../fetch-guard.ts";
import { errorCode, readUpTo } from "../response-body.ts";
import { createPinnedConnector, refused, type ResolveHost } from "../pinned-connect.ts";
import type { HttpRequest } from "./request.ts";

/** What a service answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Pick<Headers, "get">;
  readonly body: Uint8Array;
  /** Whether the body goes on after `body`. */
  readonly cut: boolean;
}

/** Whom a request may reach, and what a failure of it means. */
export interface SendRules {
  /** `host:port` pairs that may be reached wherever they are. */
  readonly allowed: ReadonlySet<string>;
  readonly resolve: ResolveHost;
  readonly effect: Effect;
}

const MAX_REDIRECTS = 5;
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/**
 * Sends a request to an address that passes the guard and reads the answer, whatever its status. Redirects of a GET are
 * followed, to another origin without any header of the request. Throws `OutsideError` when no answer came; its message
 * says whether the request may have been carried out.
 */
export async function send(request: HttpRequest, rules: SendRules, signal: AbortSignal): Promise<HttpAnswer> {
  let current = request;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await sendOnce(current, rules, signal);
    const next = redirectOf(answer, current);
    if (next === undefined) return answer;
    current = next;
  }
  throw new OutsideError(`${request.url.host} answered with more than ${MAX_REDIRECTS} redirects`, { code: "failed" });
}

async function sendOnce(request: HttpRequest, rules: SendRules, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, method, headers, body = null } = request;
  const reason = refusalForUrl(url, rules.allowed);
  if (reason !== undefined) throw refused(url.host, reason);
  const connect = createPinnedConnector(rules.resolve, rules.allowed.has(hostAndPort(url)));
  let connected = false;
  // A connection of its own: what it reached was judged for this request.
  const agent = new Agent({
    connect: (options, done) =>
      connect(options, (...outcome) => {
        connected ||= outcome[0] === null;
        done(...outcome);
      }),
  });
  try {
    const response = await fetch(url.href, { dispatcher: agent, redirect: "manual", signal, method, headers, body });
    const { bytes, more } = await readUpTo(response, MAX_BODY_BYTES);
    return { status: response.status, headers: response.headers, body: bytes, cut: more };
  } catch (error) {
    throw signal.aborted ? error : describeFailure(error, url, connected, rules.effect);
  } finally {
    await agent.destroy();
  }
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function redirectOf(answer: HttpAnswer, request: HttpRequest): HttpRequest | undefined {
  const location = REDIRECTS.has(answer.status) ? answer.headers.get("location") : null;
  if (location === null || request.method !== "GET") return undefined;
  const url = URL.parse(location, request.url.href);
  if (url === null)
    throw new OutsideError(`${request.url.host} redirects to something that is no address`, { code: "garbled" });
  if (url.origin === request.url.origin) return { ...request, url };
  if (request.url.protocol === "https:" && url.protocol !== "https:")
    throw refused(url.host, "a redirect leads away from https");
  // Whoever it is, the credentials are not theirs.
  return { method: "GET", url, headers: { accept: "*/*" } };
}

// undici wraps whatever went wrong, our own refusals included, in a TypeError.
function describeFailure(error: unknown, url: URL, connected: boolean, effect: Effect): OutsideError {
  for (let inner = error; inner instanceof Error; inner = inner.cause) if (inner instanceof OutsideError) return inner;
  const code = errorCode(error);
  const because = code === undefined ? "" : ` (${code})`;
  if (code === "ENOTFOUND")
    return new OutsideError(`There is no host named ${url.hostname}`, { code: "not-found", cause: error });
  if (!connected)
    return new OutsideError(`${url.host} cannot be reached${because}; nothing was sent`, {
      code: "unavailable",
      retry: { kind: "after" },
      cause: error,
    });
  const unknown = effect === "once" ? "; whether it was carried out is not known" : "";
  return new OutsideError(`The connection to ${url.host} broke before the answer was complete${because}${unknown}`, {
    code: "unavailable",
    retry: effect === "once" ? { kind: "never" } : { kind: "after" },
    cause: error,
  });
}
