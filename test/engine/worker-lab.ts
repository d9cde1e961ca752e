import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import type { Executed, Handler } from "../../src/engine/execute.ts";
import type { Ending, Run } from "../../src/engine/run.ts";
import { createWorker, type Role, type Worker, type WorkerOptions } from "../../src/engine/worker.ts";
import { deliveryId, type LaneId, type MessageId } from "../../src/kernel/ids.ts";
import { silentLog, systemClock } from "../../src/kernel/ports.ts";
import { connectRedis, type RedisTarget } from "../../src/store/connection.ts";
import type { Effects } from "../../src/store/effects.ts";
import type { Claim, LaneLimits } from "../../src/store/lane-contract.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { OUT } from "./lane-lab.ts";

/** What a test says about a worker. Roles are handlers by kind; a bare function is the handler of `chat`. */
export interface Crew {
  readonly target: RedisTarget;
  readonly handle: ((run: Run) => Promise<Ending>) | Readonly<Record<string, Role>>;
  readonly limits?: Partial<LaneLimits>;
  readonly concurrency?: number;
  readonly partitions?: number;
  readonly more?: Partial<WorkerOptions>;
}

/** A worker of this process, and what happened to it so far. */
export interface Hand {
  readonly worker: Worker;
  readonly started: readonly Claim[];
  readonly ended: readonly (Executed & { readonly claim: Claim })[];
  /** Resolves as soon as `condition` holds; looked at whenever a run starts, ends, or is taken over. */
  until(condition: () => boolean): Promise<void>;
  /** Cuts the worker's main connection after it was drained, as the end of its process would. */
  readonly disconnect: () => void;
  /** Resolves when the latest run that has ended so is the `count`-th. */
  untilEnded(kind: Executed["kind"], count?: number): Promise<void>;
}

/** Starts a worker that is drained when the test is over. */
export async function hire(crew: Crew): Promise<Hand> {
  const { hand, start } = prepare(crew);
  await start();
  return hand;
}

/** Builds a worker and leaves the start to the test. */
export function prepare({ target, handle, limits, concurrency = 16, partitions = 1, more }: Crew): {
  readonly hand: Hand;
  readonly start: () => Promise<void>;
} {
  const redis = connectRedis(target, "test", silentLog);
  const lanes = createLanes({ redis, partitions, newId: randomUUID, ...(limits === undefined ? {} : { limits }) });
  const started: Claim[] = [];
  const ended: (Executed & { readonly claim: Claim })[] = [];
  const waiters = new Set<() => void>();
  const look = () => {
    for (const waiter of waiters) waiter();
  };
  const worker = createWorker({
    lanes,
    connect: (purpose) => connectRedis(target, purpose, silentLog),
    roles: typeof handle === "function" ? { chat: { handler: handler(handle), concurrency } } : handle,
    clock: systemClock,
    newId: randomUUID,
    log: silentLog,
    chance: () => 0,
    // A bell that is not rung when it should be makes a test hang instead of being papered over a second later.
    bellS: 60,
    ...more,
    events: {
      started(claim) {
        started.push(claim);
        look();
      },
      ended(claim, executed) {
        ended.push({ ...executed, claim });
        look();
      },
      reaped: look,
    },
  });
  let over = false;
  onTestFinished(async () => {
    if (over) return;
    await worker.drain(0);
    redis.disconnect();
  });

  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const waiter = () => {
        if (!condition()) return;
        waiters.delete(waiter);
        resolve();
      };
      waiters.add(waiter);
      waiter();
    });
  return {
    start: () => worker.start(),
    hand: {
      worker,
      started,
      ended,
      disconnect() {
        over = true;
        redis.disconnect();
      },
      until,
      untilEnded: (kind, count = 1) => until(() => ended.filter((each) => each.kind === kind).length >= count),
    },
  };
}

/** A handler that gives up by saying so. */
export function handler(handle: (run: Run) => Promise<Ending>): Handler {
  return {
    handle,
    giveUp: (run, reason) => ({
      kind: "finish",
      end: "failed",
      text: reason,
      effects: say(run, "end", `gave up: ${reason}`),
    }),
  };
}

/** One outgoing message, named after its run and step. */
export function say(run: Run, step: string, text: string, lane: LaneId = OUT): Effects {
  const id = deliveryId(run.id, step);
  return {
    put: [{ lane, mail: { id: id as string as MessageId, mode: "alone", body: JSON.stringify({ id, text }) } }],
  };
}

/** Ends a run by saying something. */
export function answer(run: Run, text: string, lane?: LaneId): Ending {
  return { kind: "finish", end: "done", text, effects: say(run, "end", text, lane) };
}

/** A promise and the function that fulfils it: an event a test waits for or brings about. */
export function event<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

/** Rejects with the signal's reason when it aborts: a step that hangs until then. */
export function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
