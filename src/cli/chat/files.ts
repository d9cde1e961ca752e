import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { describeError, InvalidInput } from "../../kernel/errors.ts";

/** A file to send, with its content. */
export interface SentFile {
  readonly name: string;
  readonly content_base64: string;
}

/** A file the bot sent. `url` is complete. */
export interface ReceivedFile {
  readonly name: string;
  readonly bytes: number;
  readonly url?: string | undefined;
}

/** One line for every file the bot sent: its name and where it is. Pure. */
export function listFiles(files: readonly ReceivedFile[] = []): string {
  return files.map(({ name, bytes, url = "" }) => `[file] ${name} (${bytes} bytes) ${url}`.trimEnd()).join("\n");
}

/** What a person types to send a file with their next message. */
export const ATTACH = "/attach";

/** The path in a line that attaches a file, without the quotes a shell would want; undefined for any other line. Pure. */
export function attachedPath(line: string): string | undefined {
  const match = /^\/attach\s+(.+)$/.exec(line.trim());
  return match?.[1]?.trim().replace(/^(["'])(.*)\1$/, "$2");
}

/** More than any server takes with its default settings. */
const MAX_BYTES = 25_000_000;

/** Reads a file to send. Throws `InvalidInput` that says why it cannot be. */
export function readSentFile(path: string): SentFile {
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) throw new InvalidInput(`${path} has ${size} bytes; at most ${MAX_BYTES} can be sent`);
    return { name: basename(path), content_base64: readFileSync(path).toString("base64") };
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    throw new InvalidInput(`${path} cannot be read: ${describeError(error)}`, { cause: error });
  }
}
