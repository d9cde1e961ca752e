import { lookup as lookupHost } from "node:dns/promises";
import { Agent, fetch, type Response } from "undici";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import { withDeadline } from "./deadline.ts";
import { hostAndPort, refusalForUrl } from "./fetch-guard.ts";
import { decodeText, pageToText, textKindOf } from "./page-text.ts";
import { errorCode, readUpTo } from "./response-body.ts";
import { createPinnedConnector, refused, type ResolveHost } from "./pinned-connect.ts";

/** A page as the model reads it. `url` is where the redirects ended. */
export interface FetchedPage {
  readonly url: string;
  readonly status: number;
  readonly type: string;
  readonly title?: string;
  readonly text: string;
  /** Whether the page goes on after `text`. */
  readonly truncated: boolean;
}

/** Reads one public page. Throws `OutsideError`, with code `refused` for an address that may not be reached. */
export type FetchPage = (url: string, signal: AbortSignal) => Promise<FetchedPage>;

/** A file as it was fetched. `more` says that it goes on after `bytes`. */
export interface Downloaded {
  readonly mimeType: string;
  readonly bytes: Uint8Array;
  readonly more: boolean;
}

/** Fetches one public file, at most so much of it. Throws like {@link FetchPage}, also for an answer that is no success. */
export type Download = (
  url: string,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
) => Promise<Downloaded>;

/** All optional: the defaults guard everything and suit a chat. */
export interface SafeFetchOptions {
  /** Exact `host:port` pairs, for instance `wiki.example.lan:8080`, that may be reached wherever they are. */
  readonly allow?: readonly string[];
  /** How much of a body is read, counted after decompression. */
  readonly maxBytes?: number;
  /** For everything together: names, connections, redirects, the body. */
  readonly deadlineMs?: number;
  readonly resolve?: ResolveHost;
}

const MAX_REDIRECTS = 5;

/** Makes the guarded fetch. It keeps nothing between calls: no cookies, no connections, no cache. */
export function createSafeFetch(options: SafeFetchOptions = {}): FetchPage {
  const maxBytes = options.maxBytes ?? 2 * 1024 * 1024;
  return (address, signal) => guarded(address, signal, options, (response, url) => readPage(response, url, maxBytes));
}

/** Makes the guarded fetch of files, under the same rules as that of pages. */
export function createSafeDownload(options: Omit<SafeFetchOptions, "maxBytes"> = {}): Download {
  return (address, { maxBytes, signal }) =>
    guarded(address, signal, options, async (response, url) => {
      if (!response.ok)
        throw new OutsideError(`${url.host} answered ${response.status}`, {
          code: response.status === 404 ? "not-found" : "failed",
          retry: response.status >= 500 ? { kind: "after" } : { kind: "never" },
        });
      const { mimeType } = parseContentType(response.headers.get("content-type"));
      return { mimeType, ...(await readUpTo(response, maxBytes)) };
    });
}

type Read<T> = (response: Response, url: URL) => Promise<T>;

async function guarded<T>(address: string, signal: AbortSignal, options: SafeFetchOptions, read: Read<T>): Promise<T> {
  const rules: Rules = {
    allowed: new Set((options.allow ?? []).map((each) => each.toLowerCase())),
    resolve: options.resolve ?? ((host) => lookupHost(host, { all: true })),
  };
  const deadlineMs = options.deadlineMs ?? 20_000;
  const url = URL.parse(address);
  if (url === null) throw new InvalidInput("url is not a complete address such as https://example.com/page");
  return withDeadline({ ms: deadlineMs, signal, late: () => tooSlow(url, deadlineMs) }, (either) =>
    follow(url, rules, either, read),
  );
}

interface Rules {
  readonly allowed: ReadonlySet<string>;
  readonly resolve: ResolveHost;
}

async function follow<T>(start: URL, rules: Rules, signal: AbortSignal, read: Read<T>): Promise<T> {
  let url = start;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const arrived = await visit(url, rules, signal, read);
    if (!(arrived instanceof URL)) return arrived;
    url = arrived;
  }
  throw refused(url.host, `more than ${MAX_REDIRECTS} redirects`);
}

// One hop: what was read, or where it sends us. Every hop is judged anew and has a connection of its own.
async function visit<T>(url: URL, rules: Rules, signal: AbortSignal, read: Read<T>): Promise<T | URL> {
  url.hash = "";
  const reason = refusalForUrl(url, rules.allowed);
  if (reason !== undefined) throw refused(url.host || url.protocol, reason);
  const agent = new Agent({ connect: createPinnedConnector(rules.resolve, rules.allowed.has(hostAndPort(url))) });
  try {
    const response = await fetch(url.href, { dispatcher: agent, redirect: "manual", signal, headers: REQUEST_HEADERS });
    return findRedirect(response, url) ?? (await read(response, url));
  } catch (error) {
    throw signal.aborted ? error : classify(error, url);
  } finally {
    await agent.destroy();
  }
}

const REQUEST_HEADERS = {
  "user-agent": "Parley (web_fetch)",
  accept: "text/html, application/xhtml+xml, application/json, text/*;q=0.9, */*;q=0.5",
};

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function findRedirect(response: Response, url: URL): URL | undefined {
  const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
  if (location === null) return undefined;
  const next = URL.parse(location, url.href);
  if (next === null)
    throw new OutsideError(`${url.host} redirects to something that is no address`, { code: "garbled" });
  return next;
}

async function readPage(response: Response, url: URL, maxBytes: number): Promise<FetchedPage> {
  const { mimeType, charset } = parseContentType(response.headers.get("content-type"));
  const about = { url: url.href, status: response.status, type: mimeType };
  const kind = textKindOf(mimeType);
  if (kind === undefined) return { ...about, text: describeOther(mimeType, response), truncated: false };
  const body = await readUpTo(response, maxBytes);
  const decoded = decodeText(body.bytes, charset, kind);
  if (kind === "plain") return { ...about, text: decoded, truncated: body.more };
  const { cut, ...page } = pageToText(decoded, url.href);
  return { ...about, ...page, truncated: body.more || cut };
}

const MIME_TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/;

function parseContentType(header: string | null): { readonly mimeType: string; readonly charset: string | undefined } {
  const [first = "", ...parameters] = (header ?? "").split(";");
  const type = first.trim().toLowerCase();
  const charset = parameters.map((each) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(each)?.[1]).find(Boolean);
  return { mimeType: MIME_TYPE.test(type) ? type : "application/octet-stream", charset };
}

function describeOther(mimeType: string, response: Response): string {
  const length = response.headers.get("content-length");
  const size = length !== null && /^\d+$/.test(length) ? `${length} bytes` : "unknown size";
  return `(a file of type ${mimeType}, ${size}; its content is not text)`;
}

function tooSlow(url: URL, deadlineMs: number): OutsideError {
  return new OutsideError(`${url.host} did not answer completely within ${deadlineMs / 1000} s`, {
    code: "timeout",
    retry: { kind: "after" },
  });
}

// undici wraps whatever went wrong, our own refusals included, in a TypeError.
function classify(error: unknown, url: URL): OutsideError {
  for (let inner = error; inner instanceof Error; inner = inner.cause) if (inner instanceof OutsideError) return inner;
  const code = errorCode(error);
  if (code === "ENOTFOUND")
    return new OutsideError(`There is no host named ${url.hostname}`, { code: "not-found", cause: error });
  return new OutsideError(`${url.host} could not be read${code === undefined ? "" : ` (${code})`}`, {
    code: "unavailable",
    retry: { kind: "after" },
    cause: error,
  });
}
