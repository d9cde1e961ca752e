import { Redis } from "ioredis";
import { afterAll, beforeEach } from "vitest";
import { laneId, type MessageId, type RunId } from "../../src/kernel/ids.ts";
import type { Claim, LaneLimits } from "../../src/store/lane-contract.ts";
import { createLanes, type Lanes } from "../../src/store/lanes.ts";
import type { InboxMode, Mail } from "../../src/store/mail.ts";
import { testRedis } from "../setup/redis.ts";

/** The conversation lane most tests use, another one, and the lane through which the first one speaks. */
export const CHAT = laneId("chat", "ada");
export const OTHER = laneId("chat", "bob");
export const OUT = laneId("out", "ada");

/** A message as the lanes see it; its body is its id in JSON. */
export function mail(id: string, mode: InboxMode = "alone"): Mail {
  return { id: id as MessageId, mode, body: JSON.stringify(id) };
}

/** Lanes on a database of this test file's own, emptied before every test. One partition unless told otherwise. */
export async function laneLab(options: { readonly limits?: Partial<LaneLimits>; readonly partitions?: number } = {}) {
  const where = await testRedis();
  const redis = new Redis(where);
  let ids = 0;
  const lanes = createLanes({
    redis,
    partitions: options.partitions ?? 1,
    newId: () => `id${++ids}`,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  beforeEach(async () => {
    await redis.flushdb();
  });
  afterAll(() => redis.disconnect());

  return {
    where,
    redis,
    lanes,
    ...actions(lanes),
    snapshot: () => snapshot(redis),
  };
}

/** What tests do again and again: workers `w`, `x` … take what is ready and say how it went in one word. */
function actions(lanes: Lanes) {
  let first = 0;
  return {
    async register(...workers: string[]): Promise<void> {
      for (const worker of workers) await lanes.beat(0, worker, true);
    },
    /** Claims for `worker`; the claims, or none when it is not registered. */
    async take(worker = "w", capacity: Readonly<Record<string, number>> = { chat: 10 }): Promise<readonly Claim[]> {
      const taken: Claim[] = [];
      for (const [kind, room] of Object.entries(capacity)) {
        first += 100;
        const claims = await lanes.claim(0, worker, first, { kind, room });
        if (claims !== "gone") taken.push(...claims);
      }
      return taken;
    },
    /** Admits one message to the usual lane and claims it. */
    async begin(id = "m1", worker = "w"): Promise<Claim> {
      await lanes.beat(0, worker, true);
      await lanes.admit(CHAT, mail(id));
      const [claim] = await this.take(worker);
      if (claim === undefined) throw new Error(`${worker} got nothing to do`);
      return claim;
    },
    /** Ends a run with one line. */
    end(claim: Claim, more: { readonly nextToken?: string; readonly journal?: "keep" | "drop" } = {}) {
      const { lane, token, runId } = claim;
      return lanes.finish({ lane, token, journal: "keep", lines: [closing(runId)], ...more });
    },
  };
}

/** A line that ends a run. */
export function closing(runId: RunId): string {
  return `.${JSON.stringify({ run: runId, end: "done", at: 1 })}`;
}

/** Everything in the database, for comparing before and after; sorted-set scores are times and left out. */
async function snapshot(redis: Redis): Promise<Record<string, unknown>> {
  const keys = (await redis.keys("*")).sort();
  const entries = await Promise.all(
    keys.map(async (key) => {
      switch (await redis.type(key)) {
        case "list":
          return [key, await redis.lrange(key, 0, -1)];
        case "hash":
          return [key, await redis.hgetall(key)];
        case "zset":
          return [key, (await redis.zrange(key, 0, "-1")).sort()];
        default:
          return [key, await redis.get(key)];
      }
    }),
  );
  return Object.fromEntries(entries);
}
