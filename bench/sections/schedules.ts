import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Bench, Section } from "../section.ts";
import { openSchedulePopulation } from "../schedule-population.ts";
import { quantile } from "../statistics.ts";
import { show } from "../table.ts";

const PER_PERSON = [10, 1];
const DAY_MS = 86_400_000;

/** How much is measured. */
interface Sizes {
  readonly count: number;
  /** Fires in each second of the steady part. */
  readonly perS: number;
  readonly peers: number;
  /** How long the peer has to make its tasks before they fall due. */
  readonly peerDelayS: number;
}

const QUICK: Sizes = { count: 50_000, perS: 500, peers: 10_000, peerDelayS: 8 };
const WHOLE: Sizes = { count: 1_000_000, perS: 2_000, peers: 100_000, peerDelayS: 40 };

/** What schedules cost at rest and how fast they fire when all fall due at once, beside one node-cron task for each. */
export async function schedules(
  bench: Bench,
  sizes: Sizes = bench.options.size === "quick" ? QUICK : WHOLE,
): Promise<Section> {
  const { count } = sizes;
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const perPerson of PER_PERSON) {
    const found = await measure(bench, count, perPerson);
    rows.push([
      `${show(count)} schedules, ${perPerson} for each person`,
      show(found.bytes),
      show(found.createdPerS),
      `${show(found.idleMs, 2)} ms`,
      show(found.firesPerS),
      show(found.redisUs, 1),
      show(found.wrong),
    ]);
    figures[`schedules.${perPerson}.bytes`] = found.bytes;
    figures[`schedules.${perPerson}.firesPerS`] = found.firesPerS;
    figures[`schedules.${perPerson}.wrong`] = found.wrong;
    figures[`schedules.${perPerson}.idleMs`] = found.idleMs;
  }
  const steady = await measureSteady(bench, sizes);
  figures["schedules.steady.p99Ms"] = steady.p99;
  const peer = await measurePeer(bench, sizes);
  return {
    title: "Schedules",
    tables: [
      {
        columns: [
          "population",
          "bytes each",
          "created/s",
          "idle sweep",
          "fires/s",
          "Redis us per fire",
          "wrong or missed",
        ],
        rows,
      },
      {
        columns: ["one node-cron task each", "created in", "heap each, bytes", "fired", "missed", "blocked, ms"],
        rows: [
          [
            `${show(peer.count)} tasks`,
            `${show(peer.createdMs / 1000, 1)} s`,
            show(peer.heapBytes / peer.count),
            show(peer.fired),
            show(peer.count - peer.fired),
            show(peer.blockedMs),
          ],
        ],
      },
    ],
    notes: [
      "Bytes: growth of used_memory, after the two days in which a repeated creation is recognised; definitions, next fires",
      "  and each person's list together. A fire is the message in the conversation's inbox, the next fire and the ledger, in",
      "  one step; nobody takes the messages. One process sweeps, on one connection. Wrong or missed: schedules whose ledger",
      "  or next fire is not as planned, from a sample, and fires too many or too few.",
      `Steady: ${show(steady.fired)} fires over ${steady.seconds} s by the ticker, ${show(steady.perS)} each second: late by ${show(steady.p50)} ms (p50), ${show(steady.p99)} ms (p99).`,
      "Clock changes: the tests walk every change of nine years in twelve zones; node-cron skips a fixed time in the missing hour.",
    ],
    figures,
  };
}

async function measure(bench: Bench, count: number, perPerson: number) {
  const redis = await bench.startRedis(false);
  try {
    const population = openSchedulePopulation(redis.socketPath);
    const due = Math.floor(Date.now() / DAY_MS) * DAY_MS + 365 * DAY_MS;
    population.setClock(due - DAY_MS);
    await population.fill(64, 64, due);
    await redis.empty();
    const empty = (await redis.counters()).usedMemory;
    bench.say(`schedules, storing ${count}`);
    const began = performance.now();
    await population.fill(count, perPerson, due);
    const createdPerS = (count * 1000) / (performance.now() - began);
    const bytes = ((await redis.counters()).usedMemory - empty) / count;
    const idleMs = await timeOf(() => population.sweeper.sweep(), 20);
    population.setClock(due);
    bench.say("schedules, firing all of them");
    const cpu = (await redis.counters()).cpuUs;
    const firing = performance.now();
    const fired = await population.sweeper.sweep();
    const firesPerS = (fired * 1000) / (performance.now() - firing);
    const redisUs = ((await redis.counters()).cpuUs - cpu) / fired;
    const again = await population.sweeper.sweep();
    let wrong = Math.abs(count - fired) + again;
    for (let number = 1; number <= count; number += Math.ceil(count / 1_000)) {
      const id = `s0-${number.toString(36)}`;
      const [ledger, stored] = await Promise.all([population.store.ledger(id), population.store.find(id)]);
      if (ledger.length !== 1 || stored?.due === undefined || stored.due <= due) wrong += 1;
    }
    await population.close();
    return { bytes, createdPerS, idleMs, firesPerS, redisUs, wrong };
  } finally {
    await redis.stop();
  }
}

async function timeOf(work: () => Promise<unknown>, times: number): Promise<number> {
  const began = performance.now();
  for (let index = 0; index < times; index++) await work();
  return (performance.now() - began) / times;
}

/** Schedules every few seconds, fired by the ticker itself. */
async function measureSteady(bench: Bench, { perS }: Sizes) {
  const redis = await bench.startRedis(true);
  try {
    bench.say("schedules, by the ticker");
    const population = openSchedulePopulation(redis.socketPath);
    const seconds = 10;
    const first = (Math.ceil(Date.now() / 1000) + Math.ceil((perS * seconds) / 1_000) + 1) * 1000;
    for (let second = 0; second < seconds; second++) await population.fill(perS, 10, first + second * 1000);
    population.sweeper.start();
    await new Promise((resolve) => setTimeout(resolve, first + seconds * 1000 + 1_500 - Date.now()));
    const late = population.lateness.toSorted((one, other) => one - other);
    await population.close();
    return { perS, seconds, fired: late.length, p50: quantile(late, 0.5), p99: quantile(late, 0.99) };
  } finally {
    await redis.stop();
  }
}

const peerSchema = z.object({
  createdMs: z.number(),
  heapBytes: z.number(),
  fired: z.number(),
  blockedMs: z.number(),
});

async function measurePeer(bench: Bench, { peers: count, peerDelayS }: Sizes) {
  bench.say(`schedules, ${count} node-cron tasks`);
  const settings = { count, delayS: peerDelayS };
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("../node-cron-process.ts", import.meta.url)), JSON.stringify(settings)],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  return { count, ...peerSchema.parse(JSON.parse(await text(child.stdout))) };
}
