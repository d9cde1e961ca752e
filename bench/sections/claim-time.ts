import { packLines } from "../../src/engine/archive.ts";
import { endedLine } from "../../src/engine/journal.ts";
import { laneId, parseMessageId, type LaneId, type RunId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { connectRedis } from "../../src/store/connection.ts";
import { laneKeys, partitionKeys } from "../../src/store/keys.ts";
import { createLanes, type Lanes } from "../../src/store/lanes.ts";
import type { PrivateRedis } from "../private-redis.ts";
import type { Bench, Section } from "../section.ts";
import { seededChance } from "../seeded.ts";
import { quantile } from "../statistics.ts";
import { show } from "../table.ts";
import { shortId } from "../short-id.ts";

/** Whether taking up one person's work takes longer when many others are at rest. */
export async function claimTime(bench: Bench): Promise<Section> {
  const { redis, options } = bench;
  const sizes = options.size === "full" ? [1_000, 100_000, 1_000_000] : [1_000, 100_000];
  const count = options.size === "quick" ? 1_000 : 5_000;
  const chance = seededChance(options.seed);
  const connection = connectRedis({ kind: "socket", path: redis.socketPath }, "bench-claims", silentLog);
  const lanes = createLanes({ redis: connection, partitions: 1, newId: shortId });
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  await redis.empty();
  try {
    let there = 0;
    for (const size of sizes) {
      bench.say(`claim time, ${show(size)} idle workspaces`);
      await addIdle(redis, there, size);
      there = size;
      await passThrough(lanes, () => idleLane(Math.floor(chance() * size)), 300);
      const timesMs = await passThrough(lanes, () => idleLane(Math.floor(chance() * size)), count);
      const p50 = quantile(timesMs, 0.5);
      rows.push([show(size), show(p50, 3), show(quantile(timesMs, 0.99), 3)]);
      figures[`claimMs.${size}`] = p50;
    }
  } finally {
    await connection.quit();
    await redis.empty();
  }
  const [first, last] = [figures[`claimMs.${sizes[0]}`], figures[`claimMs.${sizes.at(-1)}`]];
  if (first !== undefined && last !== undefined) figures["claimGrowth"] = last / first;
  return {
    title: "Claim time beside idle workspaces",
    tables: [{ columns: ["idle workspaces", "admit, claim, finish: p50 ms", "p99 ms"], rows }],
    notes: [
      `${show(count)} messages to idle workspaces chosen by chance, one after the other: three round trips each. Flat is the aim.`,
      options.size === "full" ? "" : "A million idle workspaces are measured with --full.",
    ].filter((note) => note !== ""),
    figures,
  };
}

const idleLane = (number: number): LaneId => laneId("chat", `idle${number}`);

/** Puts lanes there as the compactor leaves them: an archive and nothing else. */
async function addIdle(redis: PrivateRedis, from: number, to: number): Promise<void> {
  const { tag } = partitionKeys(0);
  const archive = await packLines([endedLine("w.1" as RunId, "done", 1_700_000_000_000)]);
  const AT_ONCE = 5_000;
  for (let start = from; start < to; start += AT_ONCE) {
    const pipeline = redis.admin.pipeline();
    for (let number = start; number < Math.min(to, start + AT_ONCE); number++) {
      pipeline.set(laneKeys(tag, idleLane(number)).archive, archive);
    }
    await pipeline.exec();
  }
}

async function passThrough(lanes: Lanes, chooseLane: () => LaneId, count: number): Promise<number[]> {
  const worker = shortId();
  await lanes.beat(0, worker, true);
  const timesMs: number[] = [];
  for (let number = 0; number < count; number++) {
    // The lease lasts ten seconds.
    if (number % 500 === 499) await lanes.beat(0, worker, false);
    const lane = chooseLane();
    const startedAt = performance.now();
    await lanes.admit(lane, { id: parseMessageId(shortId()), mode: "alone", body: '{"text":"hello"}' });
    const claims = await lanes.claim(0, worker, number, { kind: "chat", room: 1 });
    const claim = claims === "gone" ? undefined : claims[0];
    if (claim === undefined) throw new Error(`the message to ${lane} could not be claimed`);
    await lanes.finish({
      lane,
      token: claim.token,
      journal: "keep",
      lines: [endedLine(claim.runId, "done", 0)],
    });
    timesMs.push(performance.now() - startedAt);
  }
  await lanes.reap(0, worker, 0);
  return timesMs;
}
