import { describe, expect, test } from "vitest";
import { CHAT, laneLab, mail, OTHER } from "../../test/engine/lane-lab.ts";
import type { LaneId } from "../kernel/ids.ts";
import { createHistoryCache, type HistoryCache } from "./history-cache.ts";

const lab = await laneLab();
const { lanes, redis } = lab;

/** Counts what is read from Redis from now on. */
function countReads(): () => number {
  let reads = 0;
  const lrange = redis.lrange.bind(redis);
  redis.lrange = (...call: Parameters<typeof lrange>) => {
    reads++;
    return lrange(...call);
  };
  return () => reads;
}

/** Ends one run in the lane and begins the next; returns that with what came before it. */
async function begin(lane: LaneId = CHAT) {
  await lab.register("w");
  for (const id of ["old", "new"]) {
    await lanes.admit(lane, mail(`${id}-in-${lane}`));
    const [claim] = await lab.take();
    if (claim === undefined) throw new Error("the lane was ready");
    if (id === "new") return { claim, lines: (await lanes.readJournal(lane, claim.token)).slice(0, -1) };
    await lab.end(claim);
  }
  throw new Error("unreachable");
}

/** Makes the cache hold these lines as a lane's whole history. */
function fill(cache: HistoryCache, lane: LaneId, lines: readonly string[], archive?: Buffer): void {
  cache.extend(lane, { lines: [], archive }, lines);
}

describe("the cache of histories", () => {
  test("reads a history that it does not know", async () => {
    const { claim, lines } = await begin();
    const cache = createHistoryCache(lanes, 1_000_000);
    const history = await cache.get(CHAT, claim.token, claim.linesBefore, claim.lastBefore);
    expect(history).toEqual({ lines, archive: undefined });
  });

  test("does not read one that it knows", async () => {
    const { claim, lines } = await begin();
    const cache = createHistoryCache(lanes, 1_000_000);
    const archive = Buffer.from("older");
    fill(cache, CHAT, lines, archive);
    const reads = countReads();
    expect(await cache.get(CHAT, claim.token, claim.linesBefore, claim.lastBefore)).toEqual({ lines, archive });
    expect(await cache.get(CHAT, claim.token, 0, "")).toEqual({ lines: [], archive: undefined });
    expect(reads()).toBe(0);
  });

  test.each([
    { given: "another length", length: 1, last: 0 },
    { given: "another last line", length: 0, last: 1 },
  ])("reads again when what it knows has $given", async ({ length, last }) => {
    const { claim, lines } = await begin();
    const cache = createHistoryCache(lanes, 1_000_000);
    fill(
      cache,
      CHAT,
      length === 1 ? ["x", ...lines] : [...lines.slice(0, -1), last === 1 ? "another" : (lines.at(-1) ?? "")],
    );
    expect((await cache.get(CHAT, claim.token, claim.linesBefore, claim.lastBefore)).lines).toEqual(lines);
  });

  test("reads only what others added since, and keeps that", async () => {
    const { claim, lines } = await begin();
    const cache = createHistoryCache(lanes, 1_000_000);
    const archive = Buffer.from("older");
    fill(cache, CHAT, lines.slice(0, 1), archive);
    const asked: unknown[] = [];
    const lrange = redis.lrange.bind(redis);
    redis.lrange = (...call: Parameters<typeof lrange>) => {
      asked.push(call.slice(1, 3));
      return lrange(...call);
    };
    for (let look = 0; look < 2; look++)
      expect(await cache.get(CHAT, claim.token, claim.linesBefore, claim.lastBefore)).toEqual({ lines, archive });
    expect(asked).toEqual([[0, -1]]);
  });

  test("reads again what it was told to forget", async () => {
    const { claim, lines } = await begin();
    const cache = createHistoryCache(lanes, 1_000_000);
    fill(
      cache,
      CHAT,
      lines.map(() => lines.at(-1) ?? ""),
    );
    cache.forget(CHAT);
    expect((await cache.get(CHAT, claim.token, claim.linesBefore, claim.lastBefore)).lines).toEqual(lines);
  });

  test("gives up the lane that was put longest ago when there is no more room", async () => {
    const first = await begin(CHAT);
    const second = await begin(OTHER);
    const size = (lines: readonly string[]) => lines.reduce((sum, line) => sum + line.length, 0);
    const room = 4 * Math.max(size(first.lines), size(second.lines));
    const cache = createHistoryCache(lanes, room);
    const knows = async ({ claim }: typeof first) => {
      const reads = countReads();
      await cache.get(claim.lane, claim.token, claim.linesBefore, claim.lastBefore);
      return reads() === 0;
    };
    fill(cache, CHAT, first.lines);
    fill(cache, OTHER, second.lines);
    expect([await knows(first), await knows(second)]).toEqual([true, true]);
    for (const name of ["x", "y", "z"]) fill(cache, `chat/${name}` as LaneId, ["l".repeat(room / 4)]);
    expect([await knows(first), await knows(second)]).toEqual([false, true]);
  });

  test("lets a history grow with each run and knows it afterwards", async () => {
    const { claim, lines } = await begin();
    const cache = createHistoryCache(lanes, 1_000_000);
    const history = { lines: lines.slice(0, 1), archive: undefined };
    cache.extend(CHAT, history, []);
    cache.extend(CHAT, history, lines.slice(1));
    const reads = countReads();
    expect((await cache.get(CHAT, claim.token, claim.linesBefore, claim.lastBefore)).lines).toEqual(lines);
    expect(reads()).toBe(0);
  });

  test("does not keep one that would take a large part of the room", async () => {
    const { claim, lines } = await begin();
    const cache = createHistoryCache(lanes, 100);
    fill(cache, CHAT, lines);
    const reads = countReads();
    await cache.get(CHAT, claim.token, claim.linesBefore, claim.lastBefore);
    expect(reads()).toBe(1);
  });
});
