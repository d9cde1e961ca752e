import { stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describeError } from "../kernel/errors.ts";
import type { Clock, Log } from "../kernel/ports.ts";

/** What a prompt function is told; plain data. */
export interface PromptContext {
  readonly user: { readonly id: string };
  readonly conversation: {
    readonly id: string;
    /** Whether others read along. */
    readonly shared: boolean;
  };
  readonly platform: string;
  /** The time as ISO 8601 in UTC. */
  readonly now: string;
}

/** What the thread is asked, and what it answers; without an id it is about the file. */
export interface PromptQuestion {
  readonly id: number;
  readonly context: PromptContext;
}
export type PromptAnswer =
  | "ready"
  | { readonly problem: string }
  | { readonly id: number; readonly text: string }
  | { readonly id: number; readonly problem: string };

/** An operator's function that makes the system prompt of a person. */
export interface PromptFunction {
  /** The prompt; undefined when there is no function, or it failed: then the prompt from the file is to be used. */
  prompt(context: PromptContext): Promise<string | undefined>;
  close(): Promise<void>;
}

interface Thread {
  ask(context: PromptContext): Promise<string>;
  end(): Promise<void>;
}

/**
 * Runs the function in a thread of its own, where it can neither hang nor end this process. A changed file is loaded
 * again; while it cannot be, its last good version stays in use. Whatever fails is logged and costs nobody an answer.
 */
export function createPromptFunction(options: {
  /** The file, as it is configured now; undefined for none. */
  readonly file: () => string | undefined;
  readonly log: Log;
  readonly clock: Pick<Clock, "monotonic">;
  /** How long one call may take, milliseconds. */
  readonly callMs?: number;
  readonly loadMs?: number;
}): PromptFunction {
  const { log, clock, callMs = 2000, loadMs = 10_000 } = options;
  let thread: Thread | undefined;
  let tried: string | undefined;
  let loading: Promise<void> | undefined;
  let pausedUntil = -Infinity;
  let closed = false;

  async function load(file: string, version: string): Promise<void> {
    tried = version;
    try {
      const fresh = await startThread(pathToFileURL(file).href, { callMs, loadMs });
      const old = thread;
      thread = fresh;
      await old?.end();
      if (closed) await fresh.end();
    } catch (error) {
      const stays = thread === undefined ? "the prompt from the file is used" : "its last good version stays in use";
      log.error({ file, error: describeError(error) }, `the prompt function cannot be used; ${stays}`);
    }
  }

  async function current(file: string): Promise<Thread | undefined> {
    const version = await versionOf(file);
    if (version !== tried) loading ??= load(file, version).finally(() => (loading = undefined));
    await loading;
    return thread;
  }

  async function dropThread(): Promise<void> {
    const hung = thread;
    thread = undefined;
    tried = undefined;
    // Everyone would wait for the same call again.
    pausedUntil = clock.monotonic() + PAUSE_MS;
    await hung?.end();
  }

  return {
    async prompt(context) {
      const file = options.file();
      if (file === undefined || closed || clock.monotonic() < pausedUntil) return undefined;
      let asked: Thread | undefined;
      try {
        asked = await current(file);
        return await asked?.ask(context);
      } catch (error) {
        log.error(
          { file, error: describeError(error) },
          "the prompt function failed; the prompt from the file is used",
        );
        if (error instanceof ThreadGone && asked === thread) await dropThread();
        return undefined;
      }
    },
    async close() {
      closed = true;
      await loading;
      await thread?.end();
    },
  };
}

/** A function that hung is left alone for this long, milliseconds. */
const PAUSE_MS = 30_000;
const MAX_CHARS = 200_000;
const MEMORY_MB = 256;

/** The thread hangs or has ended: nothing more is to be had from it. */
class ThreadGone extends Error {
  override readonly name = "ThreadGone";
}

/** Equal as long as the file was not written. */
async function versionOf(file: string): Promise<string> {
  const { mtimeMs, size } = await stat(file);
  return `${file} ${mtimeMs} ${size}`;
}

async function startThread(
  url: string,
  { callMs, loadMs }: { readonly callMs: number; readonly loadMs: number },
): Promise<Thread> {
  const worker = new Worker(new URL("./prompt-thread.ts", import.meta.url), {
    workerData: { url },
    // Not what the process was started with: some options are refused in a thread.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  worker.unref();
  const open = new Map<number, PromiseWithResolvers<string>>();
  const ready = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {});
  let asked = 0;

  worker.on("message", (answer: PromptAnswer) => {
    if (answer === "ready") return ready.resolve();
    if (!("id" in answer)) return ready.reject(new Error(answer.problem));
    const call = open.get(answer.id);
    if ("text" in answer) call?.resolve(answer.text);
    else call?.reject(new Error(answer.problem));
  });
  worker.on("error", (error) => gone.reject(new ThreadGone(describeError(error))));
  worker.on("exit", (code) => gone.reject(new ThreadGone(`it ended its thread with code ${code}`)));

  const end = async () => void (await worker.terminate());
  const within = async <T>(ms: number, what: string, work: Promise<T>): Promise<T> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new ThreadGone(`it was not ${what} within ${ms / 1000} s`)), ms);
    try {
      return await Promise.race([work, late.promise, gone.promise]);
    } finally {
      clearTimeout(timer);
    }
  };

  try {
    await within(loadMs, "loaded", ready.promise);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    end,
    async ask(context) {
      const id = (asked += 1);
      const call = Promise.withResolvers<string>();
      open.set(id, call);
      worker.postMessage({ id, context } satisfies PromptQuestion, []);
      try {
        const text = (await within(callMs, "done", call.promise)).trim();
        if (text === "") throw new Error("it gave an empty text");
        if (text.length > MAX_CHARS) throw new Error(`it gave more than ${MAX_CHARS} characters`);
        return text;
      } finally {
        open.delete(id);
      }
    },
  };
}
