import { setTimeout as delay } from "node:timers/promises";
import { requestSchema, workerSettingsSchema, type Word, type WorkerSettings } from "./contract.ts";

/** What a worker process of either engine has in common: its settings, and what it tells its parent. */
export interface WorkerSide {
  readonly settings: WorkerSettings;
  /** Note that a run was given to this process. */
  taken(): void;
  /** The tool step's work: at once, or as long as the settings say. */
  hold(): Promise<void>;
  /** Runs a journalled step and notes how long it took, if the settings ask for it. */
  timed<T>(step: () => Promise<T>): Promise<T>;
  /** Answers the parent from now on; `stop` must let go of everything that keeps the process alive. */
  serve(stop: () => Promise<void>): void;
}

/** Reads the settings from the command line. Use once per process. */
export function createWorkerSide(): WorkerSide {
  const settings = workerSettingsSchema.parse(JSON.parse(process.argv[2] ?? "{}"));
  let stepMs: number[] = [];
  let ending = false;
  // A worker never outlives the benchmark. If that died, Redis is gone too, and nothing can be ended in order.
  process.once("disconnect", () => {
    // In order it is this process that disconnects.
    if (!ending) process.kill(process.pid, "SIGKILL");
  });
  const tell = (word: Word) => process.send?.(word);

  return {
    settings,
    taken() {
      if (settings.tellEvents) tell({ kind: "taken" });
    },
    async hold() {
      if (settings.holdMs === 0) return;
      if (settings.tellEvents) tell({ kind: "holding" });
      await delay(settings.holdMs);
    },
    async timed(step) {
      if (!settings.timeSteps) return step();
      const startedAt = performance.now();
      const value = await step();
      stepMs.push(performance.now() - startedAt);
      return value;
    },
    serve(stop) {
      const end = async () => {
        if (ending) return;
        ending = true;
        await stop();
        if (process.connected) process.disconnect();
      };
      process.on("message", (message) => {
        const request = requestSchema.parse(message);
        if (request === "stop") return void end();
        // Twice: what the first one lets go of may hold on to more.
        if (request === "collect") for (let pass = 0; pass < 2; pass++) globalThis.gc?.();
        const { user, system } = process.cpuUsage();
        const { heapUsed, rss } = process.memoryUsage();
        tell({ kind: "usage", cpuUs: user + system, heapBytes: heapUsed, residentBytes: rss, stepMs });
        stepMs = [];
      });
      tell({ kind: "ready" });
    },
  };
}
