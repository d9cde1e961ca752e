import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseLines } from "../../src/engine/journal.ts";
import type { Run } from "../../src/engine/run.ts";
import { laneId } from "../../src/kernel/ids.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { privateRedis } from "../setup/redis.ts";
import { startRedisProxy } from "../setup/redis-proxy.ts";
import { CHAT, closing, laneLab, mail, OUT } from "./lane-lab.ts";
import { answer, event, hang, hire, type Hand } from "./worker-lab.ts";

// Faults that were measured in other engines, and in the prototype of this one. Each has its test.

const lab = await laneLab();
const { lanes, redis } = lab;
const target = { kind: "socket", ...lab.where } as const;

async function said(): Promise<string[]> {
  return (await lanes.waiting(OUT)).map(({ body }) => JSON.parse(body).text);
}

const letTimePass = () => redis.zadd("{p0}delay", 1, CHAT);
const notes = (run: Run) => run.entries.filter(({ kind }) => kind === "note").length;

describe("of a comparable engine", () => {
  test("an effect was executed twice when only its acknowledgement was lost", async () => {
    const proxy = await startRedisProxy(lab.where.path);
    let cuts = 0;
    proxy.cutWhen = ([name, , line = ""]) => name === "rpushx" && line.startsWith("=") && cuts++ === 0;
    let effects = 0;
    const hand = await hire({
      target: { kind: "socket", path: proxy.socketPath, db: lab.where.db },
      async handle(run) {
        await run.step("effect", async () => ++effects);
        return answer(run, `done ${effects}`);
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hand.untilEnded("finished");
    expect(cuts).toBeGreaterThan(0);
    expect(effects).toBe(1);
    expect(await said()).toEqual(["done 1"]);
  });

  test("a step result whose storing was answered with an error was treated as stored", async () => {
    const server = await privateRedis();
    const full = new Redis({ path: server.socketPath });
    onTestFinished(() => full.disconnect());
    const crowded = createLanes({ redis: full, partitions: 1, newId: () => "n" });
    const after: number[] = [];
    let tries = 0;
    const hand = await hire({
      target: { kind: "socket", path: server.socketPath },
      async handle(run) {
        const value = await run.step("store", async () => {
          // Full at the very moment at which the result is to be written down.
          if (++tries === 1) await full.config("SET", "maxmemory", "1");
          return tries;
        });
        after.push(value);
        return answer(run, `stored ${value}`);
      },
    });
    await crowded.admit(CHAT, mail("m1"));
    await hand.until(() => hand.ended.length === 1);
    expect(after).toEqual([]);
    await full.config("SET", "maxmemory", "0");
    await hand.untilEnded("finished");
    expect(after).toEqual([2]);
    const steps = parseLines(await crowded.readJournal(CHAT)).filter(({ kind }) => kind === "step");
    expect(steps).toMatchObject([{ step: "store", outcome: { value: 2 } }]);
  });

  test("a crashed run was failed instead of resumed", async () => {
    const { runId } = await lab.begin("m1", "crashed");
    const hand = await hire({ target, handle: async (run) => answer(run, run.id) });
    await lanes.reap(0, "crashed", 0);
    await hand.untilEnded("finished");
    expect(hand.ended).toMatchObject([{ end: "done" }]);
    expect(await said()).toEqual([runId]);
  });

  test("cancel stopped nothing, and a late completion turned cancelled into completed", async () => {
    const hanging = event();
    const late = event();
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("long", async () => {
          hanging.resolve();
          await late.promise;
        });
        await run.step("next", async () => "must not be reached");
        return answer(run, "completed");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hanging.promise;
    const [claim] = hand.started;
    if (claim === undefined) throw new Error("a run was started");
    const stopped = `.${JSON.stringify({ run: claim.runId, end: "stopped", at: 1 })}`;
    await lanes.cancel({ lane: CHAT, runId: claim.runId, linesRead: 1, line: stopped, effects: {} });
    late.resolve();
    await hand.untilEnded("lost");
    expect(parseLines(await lanes.readJournal(CHAT)).map(({ kind }) => kind)).toEqual(["opened", "ended"]);
    expect(await said()).toEqual([]);
  });

  test("of two steps with one name the replay of the first returned the second's result", async () => {
    const first: unknown[] = [];
    const hand = await hire({
      target,
      async handle(run) {
        first.push(await run.step("same", async () => "first"));
        if (notes(run) === 0) return { kind: "park", waitMs: 0, lines: ["#1"] };
        await run.step("same", async () => "second");
        return answer(run, "never");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    for (let refusals = 0; refusals < 3; refusals++) {
      await hand.untilEnded("parked", 2 + refusals);
      await letTimePass();
    }
    await hand.untilEnded("finished");
    expect(new Set(first)).toEqual(new Set(["first"]));
    expect(await said()).toEqual([expect.stringContaining("used twice")]);
  });

  test("a sleep slept again on replay", async () => {
    const hanging = event();
    let calls = 0;
    const hand = await hire({
      target,
      async handle(run) {
        if (notes(run) === 0) return { kind: "park", waitMs: 30, lines: ['#"slept"'] };
        await run.step("after", async ({ signal }) => {
          if (++calls > 1) return;
          hanging.resolve();
          await hang(signal);
        });
        return answer(run, "awake");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hanging.promise;
    await lanes.reap(0, hand.worker.id(), 0);
    await hand.untilEnded("finished");
    expect(hand.ended.map(({ kind }) => kind)).toEqual(["parked", "lost", "finished"]);
  });

  test("a sleep began anew when its process was replaced", async () => {
    const park = async () => ({ kind: "park", waitMs: 3_600_000 }) as const;
    const first = await hire({ target, handle: park });
    await lanes.admit(CHAT, mail("m1"));
    await first.untilEnded("parked");
    const due = await redis.zscore("{p0}delay", CHAT);
    await first.worker.drain(0);
    const second = await hire({ target, handle: park });
    await lanes.reap(0, second.worker.id(), 0);
    expect(await redis.zscore("{p0}delay", CHAT)).toBe(due);
    expect(second.started).toEqual([]);
  });

  /** A run that was to wake, with so many workers about; returns how often it was woken while its handler took long. */
  async function wakeOnce(workers: number, when: () => Promise<unknown>): Promise<number> {
    const claim = await lab.begin("m1", "first");
    await lanes.park({ lane: CHAT, token: claim.token, waitMs: 3_600_000, mail: false, failed: false, lines: [] });
    await lanes.reap(0, "first", 0);
    await when();
    const woken = event();
    const done = event();
    let fires = 0;
    const handle = async (run: Run) => {
      fires++;
      woken.resolve();
      await done.promise;
      return answer(run, "fired");
    };
    const hands = await Promise.all(Array.from({ length: workers }, () => hire({ target, handle })));
    await woken.promise;
    // Long enough for each of them to look several times.
    for (let beats = 0; beats < 4; beats++) await Promise.all(hands.map(nextBeat));
    done.resolve();
    await Promise.race(hands.map((hand) => hand.untilEnded("finished")));
    for (let beats = 0; beats < 2; beats++) await Promise.all(hands.map(nextBeat));
    expect(await said()).toEqual(["fired"]);
    return fires;
  }

  test("a one-shot timer with a slow handler fired five times", async () => {
    expect(await wakeOnce(3, letTimePass)).toBe(1);
  });

  test("after ten minutes of downtime a timer fired eleven times", async () => {
    expect(await wakeOnce(2, () => redis.zadd("{p0}delay", Date.now() - 600_000, CHAT))).toBe(1);
  });

  test("a message that was being processed at a crash was never delivered again", async () => {
    // Taken, and nothing was done with it.
    await lab.begin("m1", "crashed");
    await redis.zadd("{p0}workers", 1, "crashed");
    const hand = await hire({ target, handle: async (run) => answer(run, String(run.messages()[0])) });
    await hand.untilEnded("finished");
    expect(await said()).toEqual(["m1"]);
  });

  test("a poison message was tried again without end", async () => {
    let poisoned = 0;
    const hand = await hire({
      target,
      async handle(run) {
        if (run.messages()[0] !== "poison") return answer(run, "healthy");
        poisoned++;
        throw new Error("poison");
      },
    });
    await lanes.admit(CHAT, mail("poison"));
    await lanes.admit(CHAT, mail("m2"));
    for (let attempt = 1; attempt <= 3; attempt++) {
      await hand.untilEnded("parked", attempt);
      await letTimePass();
    }
    await hand.untilEnded("finished", 2);
    expect(poisoned).toBe(4);
    expect(await said()).toEqual(["gave up: poison", "healthy"]);
  });

  test("a message that kills its worker was tried again without end", async () => {
    await lanes.admit(CHAT, mail("killer"));
    await lanes.admit(CHAT, mail("m2"));
    let [deaths, heldBack] = [0, 0];
    for (; deaths < 12; deaths++) {
      const worker = `w${deaths}`;
      await lab.register(worker);
      if ((await lanes.look(CHAT)).kind === "parked") {
        heldBack++;
        await letTimePass();
        await lanes.beat(0, worker, false);
      }
      expect(await lab.take(worker)).toMatchObject([{ lane: CHAT, attempt: deaths + 1 }]);
      await lanes.reap(0, worker, 0);
    }
    // Held back longer each time, so that it does not take down one worker after the other.
    expect(heldBack).toBeGreaterThan(5);
    await letTimePass();
    const hand = await hire({ target, handle: async (run) => answer(run, String(run.messages()[0])) });
    await hand.untilEnded("finished", 2);
    expect(await said()).toEqual([expect.stringContaining("taken over 12 times"), "m2"]);
  });
});

describe("of the prototype", () => {
  test("the blocked read of a stopped worker took work after the worker had been reaped", async () => {
    await lab.register("stopped", "other");
    await lanes.reap(0, "stopped", 0);
    const names = Array.from({ length: 58 }, (_, index) => laneId("chat", `c${index}`));
    for (const lane of names) await lanes.admit(lane, mail("m"));
    // What a stopped worker's connection can still take is a ring of the bell, which holds nothing.
    const bell = redis.duplicate();
    onTestFinished(() => bell.disconnect());
    expect(await lanes.waitForBell(bell, [0], "chat", 1)).toBe(0);
    expect(await lanes.claim(0, "stopped", 0, { kind: "chat", room: 100 })).toBe("gone");
    expect(await lab.take("other", { chat: 100 })).toHaveLength(names.length);
  });

  test("a client that sent a command again, because its reply was lost, had it applied twice", async () => {
    const proxy = await startRedisProxy(lab.where.path);
    let cuts = 0;
    proxy.cutWhen = ([name]) => name === "rpushx" && cuts++ % 2 === 0;
    const seen: string[][] = [];
    const hand = await hire({
      target: { kind: "socket", path: proxy.socketPath, db: lab.where.db },
      async handle(run) {
        for (const step of ["one", "two"]) await run.step(step, async () => step);
        seen.push(run.entries.flatMap((entry) => (entry.kind === "step" ? [entry.step] : [])));
        return seen.length === 1 ? { kind: "park", waitMs: 0 } : answer(run, "done");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hand.untilEnded("finished");
    const lines = await lanes.readJournal(CHAT);
    // It is in the journal twice, and every reader counts it once.
    expect(lines.filter((line) => line.startsWith("=")).length).toBeGreaterThan(2);
    expect(parseLines(lines).filter(({ kind }) => kind === "step")).toHaveLength(2);
    expect(seen).toEqual([
      ["one", "two"],
      ["one", "two"],
    ]);
  });

  test("a lock that did not cover the application's keys gave 200 replies for 100 messages", async () => {
    await lab.register("stopped");
    const names = Array.from({ length: 100 }, (_, index) => laneId("chat", `c${index}`));
    for (const lane of names) await lanes.admit(lane, mail(`for-${lane}`));
    const claims = await lab.take("stopped", { chat: 100 });
    expect(claims).toHaveLength(100);
    await redis.zadd("{p0}workers", 1, "stopped");
    const hand = await hire({ target, handle: async (run) => answer(run, String(run.messages()[0])) });
    await hand.untilEnded("finished", 100);
    // Now it goes on, and finishes everything it believes to hold.
    for (const { lane, token, runId } of claims) {
      const effects = { put: [{ lane: OUT, mail: mail(`second-reply-of-${runId}`) }] };
      const ended = { lane, token, worker: "stopped", journal: "keep", lines: [closing(runId)], effects } as const;
      expect(await lanes.finish(ended)).toEqual({ lost: true });
    }
    expect((await said()).sort()).toEqual(names.map((lane) => `for-${lane}`).sort());
  });
});

/** Resolves when the worker has beaten once more. */
async function nextBeat({ worker }: Hand): Promise<void> {
  const id = worker.id();
  const before = await redis.zscore("{p0}workers", id);
  let now = before;
  while (now === before) now = await redis.zscore("{p0}workers", id);
}
