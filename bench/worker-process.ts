import { fork } from "node:child_process";
import { once } from "node:events";
import { wordSchema, type Engine, type Request, type Usage, type WorkerSettings } from "./engines/contract.ts";

/** A worker process the benchmark started. */
export interface WorkerProcess {
  usage(): Promise<Usage>;
  /** The same after a garbage collection. */
  collect(): Promise<Usage>;
  /** Resolves when this process has said `kind` so many times. */
  said(kind: "taken" | "holding", times: number): Promise<void>;
  /** Ends it in order; kills it when it does not end. */
  stop(): Promise<void>;
  /** Ends it as a crash would, with SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

const END_MS = 8_000;

/** Starts a worker of an engine and waits until it takes work. */
export async function startWorker(
  engine: Engine,
  settings: Partial<WorkerSettings> & Pick<WorkerSettings, "socketPath" | "concurrency">,
): Promise<WorkerProcess> {
  const child = fork(engine.workerFile, [JSON.stringify(settings)], { execArgv: ["--expose-gc"] });
  const gone = once(child, "exit");
  const counts = { ready: 0, taken: 0, holding: 0 };
  const watchers = new Set<() => void>();
  const usages: ((usage: Usage) => void)[] = [];
  child.on("message", (message) => {
    const word = wordSchema.parse(message);
    if (word.kind === "usage") return usages.shift()?.(word);
    counts[word.kind]++;
    for (const look of watchers) look();
  });

  const untilSaid = (kind: keyof typeof counts, times: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (counts[kind] < times) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });

  const ask = (request: Request) =>
    new Promise<Usage>((resolve) => {
      usages.push(resolve);
      child.send(request);
    });

  const end = async (begin: () => void) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    begin();
    const lastResort = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await gone;
    clearTimeout(lastResort);
  };

  await Promise.race([
    untilSaid("ready", 1),
    gone.then(() => {
      throw new Error(`the ${engine.title} worker ended before it was ready`);
    }),
  ]);
  return {
    usage: () => ask("usage"),
    collect: () => ask("collect"),
    said: untilSaid,
    stop: () => end(() => child.send("stop")),
    kill: () => end(() => child.kill("SIGKILL")),
  };
}
