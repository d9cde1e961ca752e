import { afterAll, describe, expect, test } from "vitest";
import { laneId } from "../../src/kernel/ids.ts";
import type { CatchUp } from "../../src/kernel/schedules.ts";
import { createScheduleData } from "../../src/schedule/personal-data.ts";
import { testRedis } from "../setup/redis.ts";
import { openScheduleLab } from "./lab.ts";

const database = await testRedis();
const lab = openScheduleLab(database);
afterAll(() => lab.redis.disconnect());
const START = "2026-11-25T10:00:00.000Z";
const MINUTE = 60_000;

describe("a schedule that is due", () => {
  test("puts one message in its conversation and stores its next fire, however many sweep", async () => {
    lab.set(START);
    const owner = lab.person();
    const { id } = await lab.add(owner, "every day at 10:30", { description: "water the plants" });
    lab.set("2026-11-25T10:29:59.999Z");
    const sweepers = [lab.sweeper(), lab.sweeper(), lab.sweeper()];
    await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
    await expect(lab.waiting(owner)).resolves.toEqual([]);
    lab.set("2026-11-25T10:30:00.000Z");
    await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
    await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
    await expect(lab.waiting(owner)).resolves.toEqual([
      {
        id: `sched:${id}:${Date.parse("2026-11-25T10:30:00Z")}`,
        text: "[Scheduled task]: water the plants",
        workspaceId: owner,
      },
    ]);
    const view = await lab.schedules.find(id);
    expect(view?.next[0]).toBe(Date.parse("2026-11-26T10:30:00Z"));
    await Promise.all(sweepers.map((sweeper) => sweeper.stop()));
  });

  test("is fired once when two processes read the same slot before either fires it", async () => {
    lab.set(START);
    const owner = lab.person();
    await lab.add(owner, "in 1m");
    lab.pass(MINUTE);
    const partition = lab.lanes.partitionOf(laneId("chat", `api:${owner}`));
    const first = await lab.store.sweep(partition, "one", { leaseMs: 1, limit: 500 });
    await lab.redis.del(`{p${partition}}schs`);
    const second = await lab.store.sweep(partition, "two", { leaseMs: 1, limit: 500 });
    const fireOf = (found: typeof first) =>
      (found?.due ?? []).map((schedule) => ({
        schedule,
        next: undefined,
        notes: [],
        messages: [
          { mail: { id: `sched:${schedule.id}:1` as never, mode: "alone", body: `{"id":"x"}` } as const, note: "r1,1" },
        ],
        conversationId: `api:${owner}` as never,
      }));
    expect(await lab.store.fire(partition, fireOf(first))).toEqual([true]);
    expect(await lab.store.fire(partition, fireOf(second))).toEqual([false]);
    await expect(lab.lanes.waiting(laneId("chat", `api:${owner}`))).resolves.toHaveLength(1);
    await lab.redis.del(`{p${partition}}schs`);
  });

  test("is left alone while another process sweeps the partition, and taken over when that one is gone", async () => {
    lab.set(START);
    const owner = lab.person();
    await lab.add(owner, "in 1m");
    const partition = lab.lanes.partitionOf(laneId("chat", `api:${owner}`));
    await lab.store.sweep(partition, "a process that was killed", { leaseMs: 60_000, limit: 1 });
    lab.pass(MINUTE);
    const sweeper = lab.sweeper();
    await expect(sweeper.sweep()).resolves.toBe(0);
    await lab.redis.del(`{p${partition}}schs`);
    await expect(sweeper.sweep()).resolves.toBe(1);
    await sweeper.stop();
  });

  test("fires no more when it was for once, and is deleted a month later", async () => {
    lab.set(START);
    const owner = lab.person();
    const { id } = await lab.add(owner, "in 1m");
    const sweeper = lab.sweeper();
    lab.pass(MINUTE);
    await sweeper.sweep();
    await sweeper.sweep();
    await expect(lab.waiting(owner)).resolves.toHaveLength(1);
    expect(await lab.schedules.find(id)).toMatchObject({ status: "ended", next: [] });
    lab.pass(31 * 86_400_000);
    await sweeper.sweep();
    expect(await lab.schedules.find(id)).toBeUndefined();
    const [left] = await lab.redis.smembers("{p0}scho:x");
    expect(left).toBeUndefined();
    await sweeper.stop();
  });

  test("is noted as skipped when too many messages wait", async () => {
    const small = openScheduleLab(database, { maxWaiting: 2 });
    const owner = lab.person();
    const { id } = await small.add(owner, "every minute", { catchUp: "all" });
    const sweeper = small.sweeper();
    for (let minutes = 0; minutes < 4; minutes++) {
      small.pass(MINUTE);
      await sweeper.sweep();
    }
    await expect(small.waiting(owner)).resolves.toHaveLength(2);
    const slots = await small.schedules.history(id);
    expect(slots?.map(({ did, why }) => [did, why])).toEqual([
      ["skipped", "too many messages were waiting in the conversation"],
      ["skipped", "too many messages were waiting in the conversation"],
      ["ran", undefined],
      ["ran", undefined],
    ]);
    await sweeper.stop();
    small.redis.disconnect();
  });

  test("queues behind its own slow run: no slot is lost, none overtakes", async () => {
    lab.set(START);
    const owner = lab.person();
    await lab.add(owner, "every 10s");
    const sweeper = lab.sweeper();
    for (let ticks = 0; ticks < 12; ticks++) {
      lab.pass(10_000);
      await sweeper.sweep();
    }
    const slots = await lab.slots(owner);
    expect(slots).toHaveLength(12);
    expect(slots).toEqual(slots.toSorted());
    await sweeper.stop();
  });

  test("is fired in the order of the slots when a sweep comes late within the minute", async () => {
    lab.set(START);
    const owner = lab.person();
    await lab.add(owner, "every 5s", { catchUp: "skip" });
    lab.pass(32_000);
    const sweeper = lab.sweeper();
    await sweeper.sweep();
    await expect(lab.slots(owner)).resolves.toEqual(
      [5, 10, 15, 20, 25, 30].map((seconds) => `2026-11-25T10:00:${String(seconds).padStart(2, "0")}.000Z`),
    );
    await sweeper.stop();
  });
});

describe("after an hour in which nothing ran, a schedule every 10 minutes", () => {
  const at = (minutes: number) => new Date(Date.parse(START) + minutes * MINUTE).toISOString();
  test.each<{ catchUp: CatchUp; maxLatenessMs?: number; back: number; fired: string[]; skipped: number }>([
    { catchUp: "skip", back: 65, fired: [], skipped: 6 },
    { catchUp: "once", back: 65, fired: [at(60)], skipped: 5 },
    { catchUp: "all", back: 65, fired: [10, 20, 30, 40, 50, 60].map(at), skipped: 0 },
    { catchUp: "all", maxLatenessMs: 30 * MINUTE, back: 65, fired: [40, 50, 60].map(at), skipped: 3 },
    { catchUp: "once", maxLatenessMs: 2 * MINUTE, back: 65, fired: [], skipped: 6 },
    { catchUp: "skip", back: 60.5, fired: [at(60)], skipped: 5 },
    { catchUp: "once", back: 60.5, fired: [at(60)], skipped: 5 },
    { catchUp: "all", back: 205, fired: [110, 120, 130, 140, 150, 160, 170, 180, 190, 200].map(at), skipped: 10 },
  ])("with $catchUp, at most $maxLatenessMs ms late, back after $back minutes", async (given) => {
    lab.set(START);
    const owner = lab.person();
    const { catchUp, maxLatenessMs } = given;
    const { id } = await lab.add(owner, "every 10m", { catchUp, maxLatenessMs });
    lab.pass(given.back * MINUTE);
    const sweeper = lab.sweeper();
    await sweeper.sweep();
    await sweeper.sweep();
    await expect(lab.slots(owner)).resolves.toEqual(given.fired);
    const history = await lab.schedules.history(id);
    expect(history?.filter(({ did }) => did === "skipped")).toHaveLength(given.skipped);
    const next = Math.floor(given.back / 10) * 10 + 10;
    expect((await lab.schedules.find(id))?.next[0]).toBe(Date.parse(at(next)));
    await sweeper.stop();
  });

  test("that was every second for a week costs one look, not 604,800", async () => {
    lab.set(START);
    const owner = lab.person();
    const { id } = await lab.add(owner, "every 1s", { catchUp: "once" });
    lab.pass(7 * 86_400_000);
    const sweeper = lab.sweeper();
    await sweeper.sweep();
    const slots = await lab.slots(owner);
    expect(slots).toHaveLength(61);
    const history = await lab.schedules.history(id);
    expect(history?.reduce((sum, slot) => sum + slot.count, 0)).toBeCloseTo(7 * 86_400, -3);
    await sweeper.stop();
  });
});

describe("a clock that jumps", () => {
  test("forward and back again fires no slot twice and none early by the clock of that moment", async () => {
    lab.set(START);
    const owner = lab.person();
    await lab.add(owner, "every 10m", { catchUp: "all" });
    const sweeper = lab.sweeper();
    lab.pass(10 * MINUTE);
    await sweeper.sweep();
    lab.pass(60 * MINUTE);
    await sweeper.sweep();
    lab.pass(-60 * MINUTE);
    for (let minutes = 0; minutes < 120; minutes += 5) {
      lab.pass(5 * MINUTE);
      await sweeper.sweep();
    }
    const slots = await lab.slots(owner);
    expect(new Set(slots).size).toBe(slots.length);
    expect(slots).toEqual(slots.toSorted());
    expect(slots.at(-1)).toBe("2026-11-25T12:10:00.000Z");
    expect(slots).toHaveLength(13);
    await sweeper.stop();
  });
});

describe("a change at the moment of firing", () => {
  test("a schedule that is deleted between the look and the fire does not fire", async () => {
    lab.set(START);
    const owner = lab.person();
    const { id } = await lab.add(owner, "in 1m");
    lab.pass(MINUTE);
    await lab.schedules.delete(id, owner);
    const sweeper = lab.sweeper();
    await sweeper.sweep();
    await expect(lab.waiting(owner)).resolves.toEqual([]);
    await sweeper.stop();
  });

  test("a slot that is due already is fired before a new rule takes over, once", async () => {
    lab.set(START);
    const owner = lab.person();
    const { id } = await lab.add(owner, "every day at 10:30");
    lab.set("2026-11-25T10:30:00.500Z");
    await lab.schedules.change(id, { when: "every day at 18:00", description: "the new text" }, owner);
    const sweeper = lab.sweeper();
    await sweeper.sweep();
    await expect(lab.slots(owner)).resolves.toEqual(["2026-11-25T10:30:00.000Z"]);
    lab.set("2026-11-25T18:00:00.000Z");
    await sweeper.sweep();
    await expect(lab.slots(owner)).resolves.toEqual(["2026-11-25T10:30:00.000Z", "2026-11-25T18:00:00.000Z"]);
    await sweeper.stop();
  });

  test("a paused schedule does not fire, and goes on with the next slot when it is resumed", async () => {
    lab.set(START);
    const owner = lab.person();
    const { id } = await lab.add(owner, "every 10m");
    await lab.schedules.change(id, { paused: true }, owner);
    lab.pass(35 * MINUTE);
    const sweeper = lab.sweeper();
    await sweeper.sweep();
    await expect(lab.waiting(owner)).resolves.toEqual([]);
    await lab.schedules.change(id, { paused: false }, owner);
    lab.pass(5 * MINUTE);
    await sweeper.sweep();
    await expect(lab.slots(owner)).resolves.toEqual(["2026-11-25T10:40:00.000Z"]);
    await sweeper.stop();
  });

  test("two edits at once are both kept", async () => {
    lab.set(START);
    const owner = lab.person();
    const { id } = await lab.add(owner, "every day at 12:00");
    await Promise.all([
      lab.schedules.change(id, { when: "every day at 13:00" }, owner),
      lab.schedules.change(id, { description: "something else" }, owner),
      lab.schedules.change(id, { catchUp: "all" }, owner),
    ]);
    expect(await lab.schedules.find(id)).toMatchObject({
      rule: "0 13 * * *",
      description: "something else",
      catchUp: "all",
    });
  });
});

describe("the store of schedules", () => {
  test("keeps one schedule for one operation, and refuses more than a person may have", async () => {
    const small = openScheduleLab(database, { limits: () => ({ maxPerPerson: 2, minIntervalMs: 60_000 }) });
    const owner = lab.person();
    const one = await small.add(owner, "every day at 9:00", { operation: "same" });
    const again = await small.add(owner, "every day at 9:00", { operation: "same" });
    expect(again.id).toBe(one.id);
    await small.add(owner, "every day at 10:00");
    await expect(small.add(owner, "every day at 11:00")).rejects.toThrow("You have 2 schedules already");
    await expect(small.add(lab.person(), "every 30s")).rejects.toThrow("the shortest interval here is 60 s");
    small.redis.disconnect();
  });

  test("keeps long texts of any script whole", async () => {
    const owner = lab.person();
    const description = "Füttere die Katze 🐈 und\nzähle bis ∞. ".repeat(40).trim();
    const { id } = await lab.add(owner, "every day at 9:00", { description });
    expect((await lab.schedules.find(id))?.description).toBe(description);
  });

  test("leaves nothing behind when everything is deleted", async () => {
    const empty = openScheduleLab(await testRedis());
    const owner = lab.person();
    const ids = await Promise.all(["every 10m", "in 1m", "every day at 9:00"].map((when) => empty.add(owner, when)));
    empty.pass(15 * MINUTE);
    const sweeper = empty.sweeper();
    await sweeper.sweep();
    for (const { id } of ids) await empty.schedules.delete(id, owner);
    await sweeper.stop();
    const left = await empty.redis.keys("*");
    const [counter, operations, rest] = [/schn$/, /schk:/, /^(?!.*(schn|schk))/].map((kind) =>
      left.filter((key) => kind.test(key)),
    );
    expect(counter?.length).toBeLessThanOrEqual(2);
    for (const key of operations ?? []) expect(await empty.redis.pttl(key)).toBeGreaterThan(0);
    expect(rest?.filter((key) => /sch/.test(key.replace(/\{p\d\}(m|q):.*/, "")))).toEqual([]);
    empty.redis.disconnect();
  });

  test("forgets a person: their schedules go with their histories, and nothing fires any more", async () => {
    lab.set(START);
    const [owner, other] = [lab.person(), lab.person()];
    await lab.add(owner, "in 1m");
    await lab.add(other, "in 1m");
    const data = createScheduleData(lab.schedules);
    const erasure = { persons: [owner], by: "person" } as const;
    await expect(data.count(erasure)).resolves.toEqual({ schedules: 1 });
    await expect(data.erase(erasure)).resolves.toEqual({ counts: { schedules: 1 } });
    await expect(data.erase(erasure)).resolves.toEqual({ counts: {} });
    lab.pass(MINUTE);
    const sweeper = lab.sweeper();
    await sweeper.sweep();
    await expect(lab.waiting(owner)).resolves.toEqual([]);
    await expect(lab.waiting(other)).resolves.toHaveLength(1);
    await sweeper.stop();
  });

  test("does not show or change what belongs to somebody else", async () => {
    const [owner, other] = [lab.person(), lab.person()];
    const { id } = await lab.add(owner, "every day at 9:00");
    expect(await lab.schedules.find(id, other)).toBeUndefined();
    expect(await lab.schedules.change(id, { paused: true }, other)).toBeUndefined();
    expect(await lab.schedules.delete(id, other)).toBe(false);
    expect(await lab.schedules.history(id, other)).toBeUndefined();
    expect(await lab.schedules.list(other)).toEqual([]);
    expect(await lab.schedules.list(owner)).toHaveLength(1);
  });
});
