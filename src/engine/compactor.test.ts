import { describe, expect, onTestFinished, test } from "vitest";
import { CHAT, laneLab, mail, OTHER } from "../../test/engine/lane-lab.ts";
import { answer, hire } from "../../test/engine/worker-lab.ts";
import type { LaneId } from "../kernel/ids.ts";
import { silentLog, type Clock } from "../kernel/ports.ts";
import { packLines, unpackLines } from "./archive.ts";
import { dropOldestRuns, startCompactor } from "./compactor.ts";

const lab = await laneLab();
const { lanes, redis } = lab;

/** A compactor in whose eyes it is an hour later. */
function compactor(limits: { minLines?: number; keepLines?: number; restMs?: number } = {}) {
  const clock: Clock = { now: () => Date.now() + 3_600_000, monotonic: () => performance.now() };
  const each = startCompactor({
    lanes,
    clock,
    log: silentLog,
    limits: { idleMs: 60_000, restMs: 24 * 3_600_000, minLines: 4, keepLines: 1_000, ...limits },
  });
  onTestFinished(() => each.stop());
  return each;
}

let messages = 0;

async function runs(lane: LaneId, count: number): Promise<void> {
  await lab.register("w");
  for (let index = 0; index < count; index++) {
    await lanes.admit(lane, mail(`m${++messages}`));
    const [claim] = await lab.take();
    if (claim === undefined) throw new Error("the lane was ready");
    await lab.end(claim);
  }
}

/** Everything a lane holds, the archive included. */
async function everything(lane: LaneId): Promise<string[]> {
  const archive = await lanes.readArchive(lane);
  return [...(archive === undefined ? [] : unpackLines(archive)), ...(await lanes.readJournal(lane))];
}

describe("the compactor", () => {
  test("packs the journals of lanes that rest, and nothing is lost, however often", async () => {
    for (let round = 1; round <= 3; round++) {
      await runs(CHAT, 3);
      const before = await everything(CHAT);
      expect(before).toHaveLength(round * 6);
      expect(await compactor().sweep()).toBe(1);
      expect(await lanes.readJournal(CHAT)).toEqual([]);
      expect(await everything(CHAT)).toEqual(before);
    }
    expect(await compactor().sweep()).toBe(0);
  });

  test("leaves short journals as they are, and does not look at them again", async () => {
    await runs(CHAT, 1);
    expect(await compactor().sweep()).toBe(0);
    expect(await lanes.readJournal(CHAT)).toHaveLength(2);
    expect(await lanes.coldLanes(0, Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("drops whole runs, the oldest first, when there are too many lines", async () => {
    await runs(CHAT, 5);
    await compactor({ keepLines: 5 }).sweep();
    const kept = await everything(CHAT);
    expect(kept[0]).toMatch(/^>/);
    expect(kept).toHaveLength(4);
  });

  test("goes on with the others when one archive cannot be read", async () => {
    await runs(CHAT, 3);
    await runs(OTHER, 3);
    await redis.set("{p0}a:chat/ada", "\u0009damaged");
    expect(await compactor().sweep()).toBe(1);
    expect(await lanes.readJournal(CHAT)).toHaveLength(6);
    expect(await lanes.readJournal(OTHER)).toEqual([]);
    // It is not tried again until the lane was used.
    expect(await lanes.coldLanes(0, Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("packs an archive as small as it gets when nothing was added for a day, once", async () => {
    for (let index = 0; index < 60; index++) {
      const claim = await lab.begin(`m${++messages}`);
      const words = Array.from({ length: 12 }, (_, word) => `word${(index * 7 + word * word) % 97}`).join(" ");
      await lanes.append(CHAT, claim.token, JSON.stringify(words));
      await lab.end(claim);
    }
    await compactor().sweep();
    const before = await everything(CHAT);
    const quick = await redis.strlen("{p0}a:chat/ada");
    expect(await compactor().sweep()).toBe(0);
    expect(await compactor({ restMs: 0 }).sweep()).toBe(1);
    expect(await redis.strlen("{p0}a:chat/ada")).toBeLessThan(quick);
    expect(await everything(CHAT)).toEqual(before);
    expect(await redis.pttl("{p0}a:chat/ada")).toBeGreaterThan(0);
    expect(await compactor({ restMs: 0 }).sweep()).toBe(0);
  });

  test("says when everything ends that it has looked at", async () => {
    await runs(CHAT, 1);
    await runs(OTHER, 3);
    for (const lane of [CHAT, OTHER]) expect(await redis.pttl(`{p0}c:${lane}`)).toBe(-1);
    await compactor().sweep();
    for (const key of [`{p0}c:${CHAT}`, `{p0}a:${OTHER}`]) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });

  test("does not touch a lane in which a run waits", async () => {
    await runs(CHAT, 3);
    const claim = await lab.begin("waits");
    await lanes.park({ ...claim, key: "k", mail: false, failed: false, lines: [] });
    expect(await compactor().sweep()).toBe(0);
    expect(await lanes.readJournal(CHAT)).toHaveLength(7);
  });

  test("makes no difference to the next run, which sees its whole history", async () => {
    await runs(CHAT, 4);
    const before = await everything(CHAT);
    await compactor().sweep();
    let seen: string[] = [];
    const hand = await hire({
      target: { kind: "socket", ...lab.where },
      async handle(run) {
        const { lines, archive } = run.history;
        seen = [...(archive === undefined ? [] : unpackLines(archive)), ...lines];
        return answer(run, "done");
      },
    });
    await lanes.admit(CHAT, mail("next"));
    await hand.untilEnded("finished");
    expect(seen).toEqual(before);
  });
});

describe("an archive", () => {
  test.each<{ given: string; lines: string[] }>([
    { given: "nothing", lines: [] },
    { given: "one line", lines: ["a"] },
    { given: "empty lines and signs of all kinds", lines: ['>{"in":["ä😀\\n"]}', "", "="] },
    { given: "a long line", lines: ["x".repeat(100_000)] },
    { given: "instants in any order", lines: ['{"at":1795305183074,"b":1795305183000}', '{"at":1000000000000}'] },
    { given: "numbers like instants", lines: ["179530518307", "17953051830740", "2795305183074", "-1795305183074"] },
    { given: "the mark of a distance in damaged text", lines: ["\u0001a;", '{"at":1795305183074}'] },
  ])("gives back $given", async ({ lines }) => {
    for (const effort of ["quick", "small"] as const)
      expect(unpackLines(await packLines(lines, effort))).toEqual(lines);
  });

  test("of another version is refused by name", () => {
    expect(() => unpackLines(Buffer.from([9, 1, 2]))).toThrow("unknown version 9");
  });
});

test.each([
  { given: "fewer than are kept", lines: [">", "."], keep: 5, kept: [">", "."] },
  { given: "a run that fits exactly", lines: [">", ".", ">", "."], keep: 2, kept: [">", "."] },
  { given: "a run that would be cut", lines: [">", "=", ".", ">", "=", "."], keep: 4, kept: [">", "=", "."] },
  { given: "one run that is too long alone", lines: [">", "=", "=", "=", "."], keep: 2, kept: ["=", "."] },
])("of $given, $kept are kept", ({ lines, keep, kept }) => {
  expect(dropOldestRuns(lines, keep)).toEqual(kept);
});
