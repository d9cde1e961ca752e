import type { Driver, Engine, Usage, WorkerSettings } from "./engines/contract.ts";
import { closedLoop, createAnswers, type Answers, type Load } from "./load.ts";
import type { PrivateRedis } from "./private-redis.ts";
import { difference, type Counters } from "./redis-info.ts";
import { startWorker, type WorkerProcess } from "./worker-process.ts";
import { createMessages, IN_FLIGHT } from "./workload.ts";

/** An engine that is up on an empty Redis: driver here, workers in processes of their own. */
export interface Stage {
  readonly driver: Driver;
  readonly answers: Answers;
  readonly workers: readonly WorkerProcess[];
}

/** Sets an engine up on an empty Redis, lets `play` use it, and takes it down whatever happens. */
export async function onStage<T>(
  engine: Engine,
  redis: PrivateRedis,
  setup: { readonly workers: number; readonly settings?: Partial<WorkerSettings> },
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  await redis.empty();
  const { socketPath } = redis;
  const answers = createAnswers();
  const driver = await engine.openDriver(socketPath, answers.heard);
  const workers: WorkerProcess[] = [];
  try {
    for (let index = 0; index < setup.workers; index++)
      workers.push(await startWorker(engine, { socketPath, concurrency: IN_FLIGHT, ...setup.settings }));
    return await play({ driver, answers, workers });
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await driver.close();
  }
}

export interface Round {
  readonly count: number;
  readonly load: Load;
  readonly redis: Counters;
  /** Of all workers together, microseconds. */
  readonly workerCpuUs: number;
  /** The workers' state at the end. */
  readonly usages: readonly Usage[];
}

/** One closed loop on a stage, after a warm-up that is not counted. */
export async function measureRound(
  stage: Stage,
  redis: PrivateRedis,
  load: { readonly count: number; readonly warmUp: number; readonly inFlight: number; readonly seed: number },
): Promise<Round> {
  const { inFlight } = load;
  await closedLoop(stage, { count: load.warmUp, inFlight, message: createMessages(load.seed, "w") });
  const usageBefore = await Promise.all(stage.workers.map((worker) => worker.usage()));
  const before = await redis.counters();
  const result = await closedLoop(stage, { count: load.count, inFlight, message: createMessages(load.seed, "m") });
  const counted = difference(before, await redis.counters());
  const usages = await Promise.all(stage.workers.map((worker) => worker.usage()));
  const sum = (all: readonly Usage[]) => all.reduce((total, usage) => total + usage.cpuUs, 0);
  return { count: load.count, load: result, redis: counted, workerCpuUs: sum(usages) - sum(usageBefore), usages };
}
