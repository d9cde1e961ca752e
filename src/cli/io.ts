import type { ReadStream, WriteStream } from "node:tty";
import type { Environment } from "../config/environment.ts";
import { printable } from "./printable.ts";

/** What a command may touch of the process it runs in. */
export interface Io {
  readonly env: Environment;
  readonly input: ReadStream;
  /** For results: what a script reads. */
  readonly output: WriteStream;
  /** For everything about the work itself. */
  readonly errors: WriteStream;
  readonly fetch: typeof fetch;
  /** Aborts when the process is asked to end, with the name of the signal as its reason. Call it only where that helps. */
  untilSignal(): AbortSignal;
}

/** The streams, the variables and the network of this process. */
export function processIo(): Io {
  const { stdin: input, stdout: output, stderr: errors, env } = process;
  // A reader that has gone, such as `head`, is no failure of ours.
  for (const stream of [output, errors]) stream.on("error", () => undefined);
  return { env, input, output, errors, fetch, untilSignal };
}

/** Writes one line that may hold text from outside. */
export function printLine(stream: Pick<WriteStream, "write">, text: string): void {
  stream.write(`${printable(text)}\n`);
}

function untilSignal(): AbortSignal {
  const asked = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => asked.abort(name));
  return asked.signal;
}
