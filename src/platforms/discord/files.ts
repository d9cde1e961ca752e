import { OutsideError } from "../../kernel/errors.ts";
import type { FetchedFile } from "../contract.ts";
import type { DiscordApi } from "./api.ts";
import { toOutsideError } from "./errors.ts";
import { attachmentsOf } from "./incoming.ts";
import type { DiscordAccount } from "./options.ts";

/** Discord's own servers for files. */
const CDN_HOSTS = new Set(["cdn.discordapp.com", "media.discordapp.net"]);
const TIMEOUT_MS = 60_000;

export interface FileParts {
  readonly account: DiscordAccount;
  readonly api: Pick<DiscordApi, "message">;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Creates what fetches files that people sent. The address of a file ends after a day, so the message is asked for a new
 * one; only Discord's own servers (or the server that stands in for them) are gone to.
 */
export function createFileFetcher({ account, api, fetch }: FileParts) {
  return async function fetchFile(
    ref: string,
    { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<FetchedFile> {
    const [, channelId, messageId, attachmentId] = /^(\d+)\/(\d+)\/(\d+)$/.exec(ref) ?? [];
    if (channelId === undefined || messageId === undefined || attachmentId === undefined)
      throw new OutsideError(`"${ref.slice(0, 80)}" does not name a file of Discord`, { code: "bad-request" });
    const message = await api.message(channelId, messageId, signal);
    const file = attachmentsOf(message).find(({ id }) => id === attachmentId);
    if (file === undefined)
      throw new OutsideError(`The file ${attachmentId} is no longer part of its message`, { code: "not-found" });
    const what = `fetch the file ${file.filename}`;
    const url = checkAddress(file.url, account.apiUrl);
    try {
      const response = await fetch(url, {
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw refused(response.status, what);
      }
      const read = await readUpTo(response, maxBytes);
      const mimeType = file.content_type ?? response.headers.get("content-type") ?? undefined;
      return { ...read, ...(mimeType === undefined ? {} : { mimeType }) };
    } catch (error) {
      throw toOutsideError(error, { what });
    }
  };
}

function checkAddress(text: string, apiUrl: string | undefined): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const ownServer = apiUrl !== undefined && url?.origin === new URL(apiUrl).origin;
  if (url !== undefined && (ownServer || (url.protocol === "https:" && CDN_HOSTS.has(url.hostname) && url.port === "")))
    return url;
  throw new OutsideError("Discord named a place for a file that is not one of its own servers", { code: "refused" });
}

function refused(status: number, what: string): OutsideError {
  const passing = status >= 500 || status === 429;
  return new OutsideError(`Discord's file server refused to ${what}: HTTP ${status}`, {
    code: passing ? "unavailable" : "not-found",
    ...(passing ? { retry: { kind: "after" } as const } : {}),
  });
}

async function readUpTo(response: Response, maxBytes: number): Promise<{ content: Uint8Array; more: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early ends the download.
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    chunks.push(bytes);
    size += bytes.byteLength;
    if (size > maxBytes) break;
  }
  const content = Buffer.concat(chunks);
  return { content: content.subarray(0, maxBytes), more: size > maxBytes };
}
