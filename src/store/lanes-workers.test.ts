import { describe, expect, test } from "vitest";
import { CHAT, laneLab, mail, OTHER } from "../../test/engine/lane-lab.ts";
import { laneId } from "../kernel/ids.ts";

const lab = await laneLab();
const { lanes, redis } = lab;

/** Ends a worker's lease without waiting for it. */
const expireLease = (worker: string) => redis.zadd("{p0}workers", 1, worker);

describe("a worker beats", () => {
  test("and is registered from its first beat on", async () => {
    expect(await lanes.beat(0, "w", false)).toMatchObject({ registered: false });
    expect(await lanes.beat(0, "w", true)).toMatchObject({ registered: true, others: [] });
    expect(await lanes.beat(0, "x", true)).toMatchObject({ registered: true, others: ["w"] });
    expect(await lanes.beat(0, "w", false)).toMatchObject({ registered: true, others: ["x"] });
  });

  test("and takes the runs of one whose lease has ended, before all others in line", async () => {
    const { runId } = await lab.begin();
    await lanes.admit(OTHER, mail("b"));
    await expireLease("w");
    expect(await lanes.beat(0, "x", true)).toMatchObject({ taken: 1 });
    expect(await lanes.beat(0, "w", false)).toMatchObject({ registered: false });
    expect(await lab.take("x")).toMatchObject([{ lane: CHAT, runId, resumed: true, attempt: 2 }, { lane: OTHER }]);
  });

  test("and keeps its own lease when that has ended and nobody took notice", async () => {
    const { token } = await lab.begin();
    await expireLease("w");
    expect(await lanes.beat(0, "w", false)).toMatchObject({ registered: true, taken: 0 });
    expect(await lanes.look(CHAT)).toMatchObject({ kind: "run", token });
  });

  test("and makes a table of the lanes when there are many, in which Redis finds one at once", async () => {
    await lanes.beat(0, "w", true);
    for (let index = 0; index < 20; index++) await lanes.admit(laneId("chat", `c${index}`), mail("m"));
    const before = await lanes.active(0);
    expect(await redis.object("ENCODING", "{p0}own")).toBe("listpack");
    await lanes.beat(0, "w", false);
    expect(await redis.object("ENCODING", "{p0}own")).toBe("hashtable");
    expect(await lanes.active(0)).toEqual(before);
  });
});

describe("a worker is reaped", () => {
  test.each([
    { given: "one that beat just now", worker: "w", lateMs: 60_000, reply: -1 },
    { given: "one that is late", worker: "w", lateMs: 0, reply: 1 },
    { given: "one nobody knows", worker: "stranger", lateMs: 0, reply: -1 },
  ])("reap: $given -> $reply", async ({ worker, lateMs, reply }) => {
    await lab.begin();
    expect(await lanes.reap(0, worker, lateMs)).toBe(reply);
    expect((await lanes.look(CHAT)).kind).toBe(reply > 0 ? "resume" : "run");
  });

  test("and cannot change anything with its old token", async () => {
    const { lane, token, runId } = await lab.begin();
    await lanes.reap(0, "w", 0);
    await lab.register("x");
    const [claim] = await lab.take("x");
    expect(claim).toMatchObject({ runId });
    const before = await lab.snapshot();
    const effects = { put: [{ lane: OTHER, mail: mail("no") }] };
    expect(await lanes.append(lane, token, "=")).toBe(false);
    expect(await lanes.commit(lane, token, "=", effects)).toBe(false);
    expect(await lanes.absorb(lane, token, 1)).toBeUndefined();
    expect(await lanes.park({ lane, token, waitMs: 0, mail: false, failed: true, lines: ["="], effects })).toBe(false);
    expect(await lanes.finish({ lane, token, nextToken: "w.9", journal: "keep", lines: ["."], effects })).toEqual({
      lost: true,
    });
    expect(await lanes.finish({ lane, token, journal: "drop", lines: [] })).toEqual({ lost: true });
    expect(await lab.snapshot()).toEqual(before);
  });

  test.each<{ given: string; lines: boolean; takeovers: number; attempt: number; held: boolean }>([
    { given: "once without a line", lines: false, takeovers: 1, attempt: 2, held: false },
    { given: "four times without a line", lines: false, takeovers: 4, attempt: 5, held: false },
    { given: "six times without a line", lines: false, takeovers: 6, attempt: 7, held: true },
    { given: "six times with a line each", lines: true, takeovers: 6, attempt: 1, held: false },
  ])(
    "and a run taken over $given is attempt $attempt, held back: $held",
    async ({ lines, takeovers, attempt, held }) => {
      let claim = await lab.begin();
      for (let count = 0; count < takeovers; count++) {
        if (lines) await lanes.append(claim.lane, claim.token, "=");
        const worker = claim.token.slice(0, claim.token.indexOf("."));
        await lanes.reap(0, worker, 0);
        if (count === takeovers - 1) break;
        const next = `x${count}`;
        await lab.register(next);
        if ((await lanes.look(CHAT)).kind === "parked") {
          await redis.zadd("{p0}delay", 1, CHAT);
          await lanes.beat(0, next, false);
        }
        const [again] = await lab.take(next);
        if (again === undefined) throw new Error("the run was not handed out again");
        claim = again;
      }
      expect(await lanes.look(CHAT)).toMatchObject({ kind: held ? "parked" : "resume", attempt });
      expect(await redis.zcard("{p0}delay")).toBe(held ? 1 : 0);
    },
  );

  test("and a journal erased by hand does not keep its other runs from being taken over", async () => {
    await lab.register("w");
    await lanes.admit(CHAT, mail("a"));
    await lanes.admit(OTHER, mail("b"));
    const [first] = await lab.take("w");
    if (first === undefined) throw new Error("two lanes were ready");
    await lanes.admit(first.lane, mail("waiting"));
    await redis.del(`{p0}j:${first.token}`);
    expect(await lanes.reap(0, "w", 0)).toBe(1);
    expect((await lanes.look(CHAT)).kind).toBe("ready");
    expect((await lanes.look(OTHER)).kind).toBe("resume");
    expect(await redis.exists("{p0}w:w")).toBe(0);
  });

  test("and a run that it gave up before is left alone", async () => {
    const claim = await lab.begin();
    await lab.end(claim);
    await lab.begin("next", "x");
    expect(await lanes.reap(0, "w", 0)).toBe(0);
    expect(await lanes.look(CHAT)).toMatchObject({ kind: "run" });
  });
});
