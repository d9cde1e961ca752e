import { Worker } from "node:worker_threads";
import type { DocumentFormat } from "./kinds.ts";

/** What a thread is given. */
export interface ExtractionJob {
  readonly format: DocumentFormat;
  readonly bytes: Uint8Array;
  readonly maxChars: number;
}

/** What came of reading a document. `cut` says what was not read, `reason` why nothing was; both for people. */
export type Extraction =
  | { readonly kind: "text"; readonly text: string; readonly cut?: string }
  | { readonly kind: "failed"; readonly reason: string };

/** Reads documents. Never throws but for an abort. */
export type Extract = (job: ExtractionJob, signal: AbortSignal) => Promise<Extraction>;

export interface ExtractOptions {
  /** How long one document may take, milliseconds. */
  readonly timeMs?: number;
  /** How much memory the process may gain while one is read, bytes. */
  readonly memoryBytes?: number;
  /** How many are read at the same time; the others wait. */
  readonly atOnce?: number;
}

/**
 * Reads each document in a thread of its own: one that never ends, eats memory or breaks the reader is ended there and
 * does no harm to anything else.
 */
export function createExtract(options: ExtractOptions = {}): Extract {
  const { timeMs = 20_000, memoryBytes = 700_000_000, atOnce = 2 } = options;
  const waiting: (() => void)[] = [];
  let busy = 0;

  return async (job, signal) => {
    while (busy >= atOnce) {
      const turn = Promise.withResolvers<void>();
      waiting.push(turn.resolve);
      await turn.promise;
    }
    busy += 1;
    try {
      signal.throwIfAborted();
      return await extractInThread(job, signal, { timeMs, memoryBytes });
    } finally {
      busy -= 1;
      waiting.shift()?.();
    }
  };
}

const HEAP_MB = 256;
const LOOK_MS = 50;

async function extractInThread(
  job: ExtractionJob,
  signal: AbortSignal,
  { timeMs, memoryBytes }: { readonly timeMs: number; readonly memoryBytes: number },
): Promise<Extraction> {
  const ended = Promise.withResolvers<Extraction>();
  const fail = (reason: string) => ended.resolve({ kind: "failed", reason });
  const abort = () => ended.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const limit = setTimeout(() => fail(`reading it took longer than ${timeMs / 1000} s`), timeMs);
  const before = process.memoryUsage.rss();
  // The limit of the heap does not count what lies outside it, which is where unpacked bytes go.
  const watch = setInterval(() => {
    if (process.memoryUsage.rss() - before > memoryBytes) fail(TOO_MUCH_MEMORY);
  }, LOOK_MS);
  const thread = new Worker(new URL("./extract-thread.ts", import.meta.url), {
    workerData: job,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 64 },
    stdout: true,
    stderr: true,
  });
  thread.stdout.resume();
  thread.stderr.resume();
  thread.on("message", (message: Extraction) => ended.resolve(message));
  thread.on("error", (error: unknown) => {
    const outOfMemory = error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
    fail(outOfMemory ? TOO_MUCH_MEMORY : "it is damaged");
  });
  thread.on("exit", () => fail("it is damaged"));
  try {
    return await ended.promise;
  } finally {
    clearTimeout(limit);
    clearInterval(watch);
    signal.removeEventListener("abort", abort);
    await thread.terminate();
  }
}

const TOO_MUCH_MEMORY = "reading it takes too much memory";
