import { OutsideError } from "../../kernel/errors.ts";
import type { FetchedFile } from "../contract.ts";
import type { TelegramClient } from "./client.ts";
import { TelegramError } from "./errors.ts";

const TOO_BIG = "Telegram gives files of up to 20 MB to bots, and this one is larger";

/**
 * Fetches the content of a file that a person sent. The address, which holds the token, exists within this call only and
 * is in nothing that is thrown.
 */
export async function fetchTelegramFile(
  client: TelegramClient,
  ref: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<FetchedFile> {
  const path = await findPath(client, ref, signal);
  try {
    const response = await fetch(client.fileUrl(path), { signal, redirect: "error" });
    if (!response.ok) {
      await response.body?.cancel();
      throw refused(response.status);
    }
    return await readUpTo(response, maxBytes);
  } catch (error) {
    if (error instanceof OutsideError) throw error;
    throw new OutsideError("A file could not be fetched from Telegram: the connection failed", {
      code: signal.aborted ? "timeout" : "unavailable",
      retry: { kind: "after" },
    });
  }
}

async function findPath(client: TelegramClient, ref: string, signal: AbortSignal): Promise<string> {
  try {
    const { file_path: path } = await client.call("name the place of a file", signal, (api, given) =>
      api.getFile(ref, given),
    );
    if (path !== undefined) return path;
  } catch (error) {
    if (error instanceof TelegramError && /file is too big/i.test(error.description))
      throw new OutsideError(TOO_BIG, { code: "too-large" });
    throw error;
  }
  throw new OutsideError("Telegram does not keep this file any more", { code: "not-found" });
}

function refused(status: number): OutsideError {
  if (status === 404) return new OutsideError("Telegram does not keep this file any more", { code: "not-found" });
  return new OutsideError(`Telegram refused to give a file (${status})`, {
    code: status === 429 ? "rate-limited" : status >= 500 ? "unavailable" : "refused",
    retry: status === 429 || status >= 500 ? { kind: "after" } : { kind: "never" },
  });
}

async function readUpTo(response: Response, maxBytes: number): Promise<FetchedFile> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    pieces.push(piece);
    bytes += piece.byteLength;
    // Leaving the loop ends the download.
    if (bytes > maxBytes) break;
  }
  return { content: Buffer.concat(pieces).subarray(0, maxBytes), more: bytes > maxBytes };
}
