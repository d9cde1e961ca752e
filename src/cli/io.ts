import type { Readable, Writable } from "node:stream";
import type { Environment } from "../config/environment.ts";
import { printable } from "./printable.ts";

/** What a program reads: a file, a pipe, or a person at a terminal. */
export type Input = Readable & { readonly isTTY?: boolean };

/** Where a program writes: a file, a pipe, or a terminal with so many columns. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What a command may touch of the process it runs in. */
export interface Io {
  readonly env: Environment;
  readonly input: Input;
  /** For results: what a script reads. */
  readonly output: Output;
  /** For everything about the work itself. */
  readonly errors: Output;
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
export function printLine(stream: Pick<Writable, "write">, text: string): void {
  stream.write(`${printable(text)}\n`);
}

/** Writes a value as JSON that a terminal, too, may be shown. */
export function printJson(stream: Pick<Writable, "write">, value: unknown): void {
  // JSON lets through what some terminals obey.
  const text = JSON.stringify(value, null, 2).replace(/[\u007F-\u009F]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  stream.write(`${text}\n`);
}

function untilSignal(): AbortSignal {
  const asked = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => asked.abort(name));
  return asked.signal;
}
