import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { createBreaker } from "./breaker.ts";

let options: { readonly path: string; readonly db: number };
let redis: Redis;

beforeAll(async () => {
  options = await testRedis();
  redis = new Redis(options);
});
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

const SETTINGS = { failures: 3, windowMs: 60_000, openMs: 30_000, maxOpenMs: 100_000 };
const STATE = "breaker:fast";
const PROBE = { probeMs: 60_000 };
const failed = (waitMs?: number) =>
  ({ how: "failed", code: "overloaded", ...(waitMs === undefined ? {} : { waitMs }) }) as const;

const breaker = () => createBreaker(redis, SETTINGS);
const pass = (token = "me") => breaker().pass("fast", { token, ...PROBE });
async function fail(...tokens: readonly string[]): Promise<void> {
  for (const token of tokens) await breaker().report("fast", token, failed());
}
/** What was remembered is now this much older. */
async function age(ms: number): Promise<void> {
  const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
  const now = seconds * 1000 + Math.floor(micros / 1000);
  for (const field of ["until", "probeUntil"]) {
    const value = await redis.hget(STATE, field);
    if (value !== null) await redis.hset(STATE, field, Math.min(Number(value) - ms, now + 10 ** 9));
  }
  const failures = await redis.hget(STATE, "failures");
  if (failures !== null)
    await redis.hset(
      STATE,
      "failures",
      failures.replaceAll(/@(\d+)/g, (_all, at: string) => `@${Number(at) - ms}`),
    );
}
const paused = (from: number, to: number) => ({
  kind: "wait",
  code: "overloaded",
  ms: expect.toSatisfy((ms: number) => ms > from && ms <= to, `between ${from} and ${to}`) as number,
});

describe("breaker-pass and breaker-report", () => {
  test.each<{ given: string; when: () => Promise<unknown>; gives: object }>([
    { given: "nothing", when: async () => {}, gives: { kind: "go", failures: 0 } },
    { given: "fewer failures than the limit", when: () => fail("a", "b"), gives: { kind: "go", failures: 2 } },
    { given: "as many as the limit", when: () => fail("a", "b", "c"), gives: paused(29_000, 30_000) },
    { given: "one failure sent three times", when: () => fail("a", "a", "a"), gives: { kind: "go", failures: 1 } },
    {
      given: "the limit, but the first ones long ago",
      when: async () => {
        await fail("a", "b");
        await age(61_000);
        await fail("c");
      },
      gives: { kind: "go", failures: 1 },
    },
    {
      given: "an answer between the failures",
      when: async () => {
        await fail("a", "b");
        await breaker().report("fast", "x", { how: "answered" });
        await fail("c");
      },
      gives: { kind: "go", failures: 2 },
    },
    {
      given: "one answer sent twice between them",
      when: async () => {
        await fail("a", "b");
        await breaker().report("fast", "x", { how: "answered" });
        await breaker().report("fast", "x", { how: "answered" });
        await fail("c", "d");
      },
      gives: paused(29_000, 30_000),
    },
    {
      given: "one provider that names its own wait",
      when: () => breaker().report("fast", "a", failed(5000)),
      gives: paused(4000, 5000),
    },
    {
      given: "a shorter wait after a longer one",
      when: async () => {
        await breaker().report("fast", "a", failed(9000));
        await breaker().report("fast", "b", failed(5000));
      },
      gives: paused(8000, 9000),
    },
    {
      given: "a wait that is over",
      when: async () => {
        await breaker().report("fast", "a", failed(5000));
        await age(5001);
      },
      gives: { kind: "go", failures: 0 },
    },
    {
      given: "a pause that is over",
      when: async () => {
        await fail("a", "b", "c");
        await age(30_001);
      },
      gives: { kind: "probe" },
    },
    {
      given: "a failure from before the pause that comes late",
      when: async () => {
        await fail("a", "b", "c");
        await age(20_000);
        await fail("d", "e", "f");
      },
      gives: paused(9000, 10_000),
    },
    {
      given: "an answer from before the pause that comes late",
      when: async () => {
        await fail("a", "b", "c");
        await breaker().report("fast", "d", { how: "answered" });
      },
      gives: paused(29_000, 30_000),
    },
    {
      given: "somebody else's probe",
      when: async () => {
        await fail("a", "b", "c");
        await age(30_001);
        await pass("other");
      },
      gives: paused(0, 1000),
    },
    {
      given: "somebody else's probe that never ended",
      when: async () => {
        await fail("a", "b", "c");
        await age(30_001);
        await pass("other");
        await age(60_001);
      },
      gives: { kind: "probe" },
    },
    {
      given: "somebody else's probe that was dropped",
      when: async () => {
        await fail("a", "b", "c");
        await age(30_001);
        await pass("other");
        await breaker().report("fast", "other", { how: "dropped" });
      },
      gives: { kind: "probe" },
    },
    {
      given: "its own probe, asked for twice",
      when: async () => {
        await fail("a", "b", "c");
        await age(30_001);
        await pass("me");
      },
      gives: { kind: "probe" },
    },
    {
      given: "a probe that was answered",
      when: async () => {
        await fail("a", "b", "c");
        await age(30_001);
        await pass("other");
        await breaker().report("fast", "other", { how: "answered" });
      },
      gives: { kind: "go", failures: 0 },
    },
    {
      given: "a probe that failed, reported twice",
      when: async () => {
        await fail("a", "b", "c");
        await age(30_001);
        await pass("other");
        await fail("other", "other");
      },
      gives: paused(59_000, 60_000),
    },
    {
      given: "two probes that failed, and the longest pause",
      when: async () => {
        await fail("a", "b", "c");
        for (const probe of ["p", "q"]) {
          await age(100_001);
          await pass(probe);
          await fail(probe);
        }
      },
      gives: paused(99_000, 100_000),
    },
  ])("after $given", async ({ when, gives }) => {
    await when();
    expect(await pass()).toEqual(gives);
  });

  test("of ten processes that come when the pause is over, one gets the probe", async () => {
    await fail("a", "b", "c");
    await age(30_001);
    const connections = Array.from({ length: 10 }, () => new Redis(options));
    onTestFinished(() => connections.forEach((connection) => connection.disconnect()));
    const passes = await Promise.all(
      connections.map((connection, at) =>
        createBreaker(connection, SETTINGS).pass("fast", { token: `t${at}`, ...PROBE }),
      ),
    );
    expect(passes.map(({ kind }) => kind).sort()).toEqual(["probe", ...Array<string>(9).fill("wait")]);
  });

  test("looking takes no probe", async () => {
    await fail("a", "b", "c");
    await age(30_001);
    expect(await breaker().look("fast")).toEqual({ kind: "probe" });
    expect(await pass("one")).toEqual({ kind: "probe" });
    expect(await breaker().look("fast")).toMatchObject({ kind: "wait" });
  });

  test("the entries know nothing of each other", async () => {
    await fail("a", "b", "c");
    expect(await breaker().pass("other", { token: "t", ...PROBE })).toEqual({ kind: "go", failures: 0 });
  });

  test("an entry nobody asks any more is forgotten", async () => {
    await fail("a");
    expect(await redis.pttl(STATE)).toBeGreaterThan(0);
    await fail("b", "c");
    expect(await redis.pttl(STATE)).toBeGreaterThan(30_000);
    await age(30_001);
    await pass();
    expect(await redis.pttl(STATE)).toBeGreaterThan(60_000);
  });
});
