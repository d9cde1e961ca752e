import { Worker } from "node:worker_threads";
import { describeImportFailure } from "./import-failure.ts";

/** The files to import on trial, by name, and how. All of it is plain data for the thread. */
export interface Trial {
  /** The folder as an address, with a slash at its end. */
  readonly folderUrl: string;
  /** Where the imports of the authors lead, by what they write: `#parley/tools`. */
  readonly imports: Readonly<Record<string, string>>;
  /** What is put behind each address. */
  readonly marker: string;
  readonly files: readonly string[];
}

/** What the thread tells: that it begins, and then how each file did, in order. */
export type TrialMessage = "ready" | TrialVerdict;

/** How one file did; without a problem it can be imported. */
interface TrialVerdict {
  readonly file: string;
  readonly problem: string | undefined;
}

/**
 * Imports files in a thread of their own first: there a file that never ends, eats all memory or ends the process does
 * no harm. Gives one verdict for each file, in order, and fewer only when `signal` aborts. Never throws.
 */
export async function tryFiles(
  trial: Trial,
  options: { readonly importMs: number; readonly signal: AbortSignal },
): Promise<readonly TrialVerdict[]> {
  const verdicts: TrialVerdict[] = [];
  // A thread ends with the first file that breaks it; another one goes on behind it.
  while (verdicts.length < trial.files.length && !options.signal.aborted)
    verdicts.push(...(await tryInOneThread({ ...trial, files: trial.files.slice(verdicts.length) }, options)));
  return verdicts;
}

const MEMORY_MB = 256;
/** How long the thread itself may take to begin, on a very busy machine. */
const START_MS = 60_000;

async function tryInOneThread(
  trial: Trial,
  { importMs, signal }: Parameters<typeof tryFiles>[1],
): Promise<readonly TrialVerdict[]> {
  const verdicts: TrialVerdict[] = [];
  const ended = Promise.withResolvers<string | undefined>();
  const current = () => trial.files[verdicts.length] ?? "";
  const abort = () => ended.resolve(undefined);
  signal.addEventListener("abort", abort, { once: true });
  const tooLate = () => ended.resolve(`${current()}: was not imported within ${importMs / 1000} s`);
  let limit = setTimeout(tooLate, START_MS);
  const thread = new Worker(new URL("./trial-thread.ts", import.meta.url), {
    workerData: trial,
    // Not what the process was started with: some options are refused in a thread.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    // What files say while they are imported is said once more when they are imported in earnest.
    stdout: true,
    stderr: true,
  });
  thread.stdout.resume();
  thread.stderr.resume();
  thread.on("message", (message: TrialMessage) => {
    clearTimeout(limit);
    limit = setTimeout(tooLate, importMs);
    if (message !== "ready") verdicts.push(message);
    if (verdicts.length === trial.files.length) ended.resolve(undefined);
  });
  thread.on("error", (error) => ended.resolve(describeDeath(error, current(), trial.marker)));
  thread.on("exit", (code) => ended.resolve(`${current()}: ended the process with code ${code} when imported`));
  const problem = await ended.promise;
  // A verdict that comes while the thread is being ended would move the blame to the next file.
  thread.removeAllListeners("message");
  clearTimeout(limit);
  signal.removeEventListener("abort", abort);
  await thread.terminate();
  return problem === undefined ? verdicts : [...verdicts, { file: current(), problem }];
}

function describeDeath(error: unknown, file: string, marker: string): string {
  const outOfMemory = error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
  return outOfMemory
    ? `${file}: took more than ${MEMORY_MB} MB when imported`
    : describeImportFailure(error, file, marker);
}
