import { describe, expect, test } from "vitest";
import { CHAT, laneLab, mail, OUT } from "../../test/engine/lane-lab.ts";
import type { LaneState } from "./lane-state.ts";
import type { Park } from "./lane-contract.ts";

const lab = await laneLab();
const { lanes, redis } = lab;

const parking = { mail: false, failed: false, lines: [] } as const;
type Parking = Pick<Park, "waitMs" | "key" | "mail" | "failed" | "lines">;

/** Makes the wake times of the partition come, instead of waiting for them. */
async function letTimePass(): Promise<void> {
  for (const lane of await redis.zrange("{p0}delay", 0, "-1")) await redis.zadd("{p0}delay", 1, lane);
}

describe("a run is parked", () => {
  interface Case {
    readonly given: string;
    readonly park: Parking;
    readonly state: Partial<LaneState>;
    readonly wakesByItself: boolean;
  }
  const cases: readonly Case[] = [
    {
      given: "a time",
      park: { ...parking, waitMs: 60_000 },
      state: { kind: "parked", mail: false, key: "" },
      wakesByItself: true,
    },
    {
      given: "a key",
      park: { ...parking, key: "approve|me" },
      state: { kind: "parked", mail: false, key: "approve|me" },
      wakesByItself: false,
    },
    {
      given: "mail",
      park: { ...parking, mail: true },
      state: { kind: "parked", mail: true, key: "" },
      wakesByItself: false,
    },
    {
      given: "all three",
      park: { ...parking, waitMs: 5, key: "k", mail: true },
      state: { kind: "parked", mail: true, key: "k" },
      wakesByItself: true,
    },
    {
      given: "nothing at all",
      park: { ...parking, waitMs: 0 },
      state: { kind: "resume", attempt: 1 },
      wakesByItself: false,
    },
    {
      given: "less than a millisecond",
      park: { ...parking, waitMs: 0.2 },
      state: { kind: "resume" },
      wakesByItself: false,
    },
  ];

  test.each(cases)("park: until $given -> $state", async ({ park, state, wakesByItself }) => {
    const { lane, token, runId } = await lab.begin();
    expect(await lanes.park({ lane, token, ...park })).toBe(true);
    expect(await lanes.look(lane)).toMatchObject({ ...state, runId });
    expect(await lanes.held(0, "w")).toEqual(new Map());
    expect(await redis.zrange("{p0}delay", 0, "-1")).toEqual(wakesByItself ? [lane] : []);
  });

  test("together with its lines and what it says", async () => {
    const { lane, token, opening } = await lab.begin();
    await lanes.park({
      lane,
      token,
      ...parking,
      lines: ["=1", "#2"],
      effects: { put: [{ lane: OUT, mail: mail("ask") }] },
    });
    expect(await lanes.readJournal(lane)).toEqual([...opening, "=1", "#2"]);
    expect(await lanes.waiting(OUT)).toHaveLength(1);
  });

  test("and handed over at the head of the line", async () => {
    const { lane, token } = await lab.begin();
    await lanes.admit("chat/bob" as typeof CHAT, mail("b"));
    await lanes.park({ lane, token, ...parking, waitMs: 0 });
    expect(await redis.lrange("{p0}ready:chat", 0, -1)).toEqual([CHAT, "chat/bob"]);
  });

  test("and its journal does not run out with the time it had while the lane was idle", async () => {
    await lab.end(await lab.begin("old"));
    const { lane, token } = await lab.begin();
    await lanes.park({ lane, token, ...parking, key: "k" });
    expect(await redis.pttl("{p0}c:chat/ada")).toBe(-1);
  });

  test.each<{ given: string; steps: readonly ("fail" | "line" | "wait")[]; attempt: number }>([
    { given: "a first failure", steps: ["fail"], attempt: 2 },
    { given: "three failures in a row", steps: ["fail", "fail", "fail"], attempt: 4 },
    { given: "a failure after progress", steps: ["fail", "fail", "line", "fail"], attempt: 2 },
    { given: "a wait after a failure", steps: ["fail", "wait"], attempt: 2 },
    { given: "progress and a wait after a failure", steps: ["fail", "line", "wait"], attempt: 1 },
  ])("and attempts are counted: $given -> $attempt", async ({ steps, attempt }) => {
    let { lane, token } = await lab.begin();
    for (const step of steps) {
      if (step === "line") {
        await lanes.append(lane, token, "=");
        continue;
      }
      await lanes.park({ lane, token, ...parking, waitMs: 5, failed: step === "fail" });
      await letTimePass();
      await lab.register("w");
      const [claim] = await lab.take();
      if (claim === undefined) throw new Error("the run did not wake");
      ({ lane, token } = claim);
    }
    expect((await lanes.look(lane)) as object).toMatchObject({ attempt });
  });
});

describe("a parked run is woken", () => {
  interface Case {
    readonly given: string;
    readonly park: Parking;
    readonly key: string;
    readonly woken: boolean;
  }
  const cases: readonly Case[] = [
    { given: "its key", park: { ...parking, key: "k" }, key: "k", woken: true },
    { given: "its key, long before its time", park: { ...parking, key: "k", waitMs: 60_000 }, key: "k", woken: true },
    { given: "another key", park: { ...parking, key: "k" }, key: "j", woken: false },
    { given: "a key while it waits only for mail", park: { ...parking, mail: true }, key: "k", woken: false },
    { given: "no key while it waits for none", park: { ...parking, waitMs: 60_000 }, key: "", woken: false },
  ];

  test.each(cases)("wake: by $given -> $woken", async ({ park, key, woken }) => {
    const { lane, token } = await lab.begin();
    await lanes.park({ lane, token, ...park });
    const before = await lab.snapshot();
    expect(await lanes.wake(lane, key, "~line")).toBe(woken);
    if (!woken) expect(await lab.snapshot()).toEqual(before);
    else {
      expect(await lanes.readJournal(lane)).toContain("~line");
      expect(await lab.take()).toMatchObject([{ lane, resumed: true }]);
      expect(await redis.zcard("{p0}delay")).toBe(0);
    }
  });

  test("once: a second decision about the same key comes too late", async () => {
    const { lane, token } = await lab.begin();
    await lanes.park({ lane, token, ...parking, key: "k" });
    expect(await lanes.wake(lane, "k", "~yes")).toBe(true);
    expect(await lanes.wake(lane, "k", "~no")).toBe(false);
    expect((await lanes.readJournal(lane)).filter((line) => line.startsWith("~"))).toEqual(["~yes"]);
  });

  test("by the beat of any worker when its time has come, and not before", async () => {
    const { lane, token } = await lab.begin();
    await lanes.park({ lane, token, ...parking, waitMs: 60_000 });
    const early = await lanes.beat(0, "w", false);
    expect(early.nextWakeMs).toBeGreaterThan(50_000);
    expect((await lanes.look(lane)).kind).toBe("parked");
    await letTimePass();
    await lanes.beat(0, "w", false);
    expect((await lanes.look(lane)).kind).toBe("resume");
  });

  test("never when its journal was erased by hand: the lane goes on with what waits", async () => {
    const { lane, token } = await lab.begin();
    await lanes.park({ lane, token, ...parking, key: "k" });
    await lanes.admit(lane, mail("next"));
    await redis.del("{p0}c:chat/ada");
    expect(await lanes.wake(lane, "k", "~")).toBe(false);
    expect((await lanes.look(lane)).kind).toBe("ready");
    expect(await redis.exists("{p0}c:chat/ada")).toBe(0);
  });
});

describe("a run is cancelled from outside", () => {
  const line = '.{"end":"stopped"}';
  const effects = { put: [{ lane: OUT, mail: mail("stopped") }] };

  interface Case {
    readonly given: string;
    /** Returns the run and how many lines it has. */
    readonly arrange: () => Promise<{
      readonly runId: Awaited<ReturnType<typeof lab.begin>>["runId"];
      readonly lines: number;
    }>;
    readonly reply: "cancelled" | "over" | "changed";
    readonly state: LaneState["kind"];
  }
  const cases: readonly Case[] = [
    {
      given: "a running run",
      arrange: async () => ({ runId: (await lab.begin()).runId, lines: 1 }),
      reply: "cancelled",
      state: "idle",
    },
    {
      given: "a running run with a message behind it",
      arrange: async () => {
        const { runId } = await lab.begin();
        await lanes.admit(CHAT, mail("next"));
        return { runId, lines: 1 };
      },
      reply: "cancelled",
      state: "ready",
    },
    {
      given: "a parked run",
      arrange: async () => {
        const { lane, token, runId } = await lab.begin();
        await lanes.park({ lane, token, ...parking, waitMs: 60_000, lines: ["="] });
        return { runId, lines: 2 };
      },
      reply: "cancelled",
      state: "idle",
    },
    {
      given: "a run in line to be resumed",
      arrange: async () => {
        const { lane, token, runId } = await lab.begin();
        await lanes.park({ lane, token, ...parking, waitMs: 0 });
        return { runId, lines: 1 };
      },
      reply: "cancelled",
      state: "idle",
    },
    {
      given: "a run that went on since it was read",
      arrange: async () => {
        const { lane, token, runId } = await lab.begin();
        await lanes.append(lane, token, "=");
        return { runId, lines: 1 };
      },
      reply: "changed",
      state: "run",
    },
    {
      given: "a run that has ended",
      arrange: async () => {
        const claim = await lab.begin();
        await lab.end(claim);
        return { runId: claim.runId, lines: 2 };
      },
      reply: "over",
      state: "idle",
    },
    {
      given: "an earlier run than the one that is going",
      arrange: async () => {
        const claim = await lab.begin();
        await lab.end(claim);
        await lab.begin("next");
        return { runId: claim.runId, lines: 3 };
      },
      reply: "over",
      state: "run",
    },
  ];

  test.each(cases)("cancel: $given -> $reply", async ({ arrange, reply, state }) => {
    const { runId, lines } = await arrange();
    const before = await lab.snapshot();
    expect(await lanes.cancel({ lane: CHAT, runId, linesRead: lines, line, effects })).toBe(reply);
    expect((await lanes.look(CHAT)).kind).toBe(state);
    if (reply !== "cancelled") expect(await lab.snapshot()).toEqual(before);
    else {
      expect((await lanes.readJournal(CHAT)).at(-1)).toBe(line);
      expect(await lanes.waiting(OUT)).toHaveLength(1);
      expect(await lanes.held(0, "w")).toEqual(new Map());
      expect(await redis.zcard("{p0}delay")).toBe(0);
      expect(await redis.pttl("{p0}c:chat/ada")).toBeGreaterThan(0);
    }
  });

  test("and stays cancelled, whatever its holder finishes late", async () => {
    const { lane, token, runId } = await lab.begin();
    await lanes.cancel({ lane, runId, linesRead: 1, line, effects });
    const after = await lab.snapshot();
    expect(await lanes.append(lane, token, "=late")).toBe(false);
    expect(await lanes.commit(lane, token, "=late", effects)).toBe(false);
    expect(await lanes.absorb(lane, token, 1)).toBeUndefined();
    expect(await lanes.park({ lane, token, ...parking, key: "k", effects })).toBe(false);
    expect(await lanes.finish({ lane, token, journal: "keep", lines: ["."], effects })).toEqual({
      lost: true,
    });
    expect(await lanes.finish({ lane, token, journal: "drop", lines: [], effects })).toEqual({
      lost: true,
    });
    expect(await lab.snapshot()).toEqual(after);
  });

  test("by another run, which notes it in the same step", async () => {
    const { runId } = await lab.begin();
    await lanes.admit("control/ada" as typeof CHAT, mail("stop"));
    const [control] = await lab.take("w", { control: 1 });
    if (control === undefined) throw new Error("the control lane was ready");
    const witness = { lane: control.lane, token: control.token, note: "=stopped" };
    const stop = () => lanes.cancel({ lane: CHAT, runId, linesRead: 1, line, effects, witness });
    expect(await stop()).toBe("cancelled");
    expect(await lanes.readJournal(control.lane, control.token)).toEqual([...control.opening, "=stopped"]);
    const after = await lab.snapshot();
    expect(await stop()).toBe("cancelled");
    expect(await lab.snapshot()).toEqual(after);
  });

  test("but not by a run that is no longer its holder's", async () => {
    const { runId } = await lab.begin();
    const before = await lab.snapshot();
    const witness = { lane: "control/ada" as typeof CHAT, token: "w.1", note: "=stopped" };
    expect(await lanes.cancel({ lane: CHAT, runId, linesRead: 1, line, effects, witness })).toBe("lost");
    expect(await lab.snapshot()).toEqual(before);
  });
});
