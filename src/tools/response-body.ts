import type { ReadableStream } from "node:stream/web";

/** Reads at most `maxBytes` of an answer's body; `more` when it was longer. What is left is not read any further. */
export async function readUpTo(
  response: { readonly body: ReadableStream<Uint8Array> | null },
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly more: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the stream, and with it the decompression.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), more: size > maxBytes };
}

/** The code of the innermost error that has one, such as `ENOTFOUND`: undici wraps whatever went wrong. */
export function errorCode(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause)
    if ("code" in inner && typeof inner.code === "string") return inner.code;
  return undefined;
}
