import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BudgetScope } from "../../src/budget/applying.ts";
import { createBudgets } from "../../src/budget/budgets.ts";
import { OutsideError } from "../../src/kernel/errors.ts";
import { parseConversationId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { testRedis } from "../setup/redis.ts";
import { Died, dieAround, faulty, type Faults } from "./faults.ts";

let redis: Redis;
let ids = 0;

const scope: BudgetScope = { workspaceId: parseWorkspaceId("ada"), conversationId: parseConversationId("web:1") };
const money = (amount: number) => ({ tokens: amount, money: amount, steps: 1 });

/** The budgets as one process has them. */
function oneProcess(faults: Faults = {}, limit = 1000) {
  return createBudgets({
    redis: faulty(redis, faults),
    config: () => ({
      currency: "USD",
      zone: "UTC",
      limits: [
        { of: "person", per: "day", tokens: 1000 },
        { of: "installation", per: "day", tokens: limit },
      ],
    }),
    clock: { now: () => Date.parse("2026-11-21T10:00:00Z") },
    newId: () => `n${++ids}`,
  });
}
type Process = ReturnType<typeof oneProcess>;

/** One attempt at a step: what it really cost, also when the process died over it. */
async function attempt(budgets: Process, estimate: number, actual: number): Promise<number> {
  let paid = 0;
  try {
    const result = await budgets.reserve({ id: "r:1", scope, estimate: money(estimate) });
    if (result.kind !== "ok") return 0;
    paid = actual;
    await budgets.settle(result.reservation, money(actual));
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  return paid;
}

async function counts() {
  const usages = await oneProcess().usage(scope);
  const of = (name: string) => usages.find((usage) => usage.of === name && usage.per === "day");
  const [person, installation] = [of("person"), of("installation")];
  return {
    person: person?.spent.tokens,
    installation: installation?.spent.tokens,
    held: [person?.held.tokens, installation?.held.tokens],
  };
}

beforeAll(async () => {
  redis = new Redis(await testRedis());
  // So that the server knows the scripts, and a script is one command.
  const warm = createBudgets({
    redis,
    config: () => ({ currency: "USD", zone: "UTC", limits: [{ of: "installation", per: "day", tokens: 10 }] }),
    clock: { now: () => 0 },
    newId: () => "warm",
  });
  const result = await warm.reserve({ id: "warm", scope, estimate: money(1) });
  if (result.kind === "ok") await warm.settle(result.reservation, money(1));
  await warm.usage(scope);
});
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

describe("a process that dies over a step of 10, which then costs 3 in another one", () => {
  // Reserving is two scripts, the person's part first; settling is two more, the person's part last.
  test.each<{ at: number; moment: "before" | "after"; half: readonly number[]; spent: number; why: string }>([
    { at: 0, moment: "before", half: [0, 0], spent: 3, why: "nothing was done" },
    { at: 0, moment: "after", half: [10, 0], spent: 3, why: "half a reservation: it cannot have called" },
    { at: 1, moment: "before", half: [10, 0], spent: 3, why: "the same" },
    { at: 1, moment: "after", half: [10, 10], spent: 13, why: "it may have called: the estimate counts" },
    { at: 2, moment: "before", half: [10, 10], spent: 13, why: "it has called, and nobody knows for how much" },
    { at: 2, moment: "after", half: [10, 0], spent: 10, why: "half is settled: the other half counts the same" },
    { at: 3, moment: "before", half: [10, 0], spent: 10, why: "the same" },
    { at: 3, moment: "after", half: [0, 0], spent: 10, why: "all is settled" },
  ])("$moment script $at: $why", async ({ at, moment, half, spent }) => {
    await attempt(oneProcess(dieAround(at, moment)), 10, 7);
    expect((await counts()).held).toEqual(half);
    await attempt(oneProcess(), 10, 3);
    expect(await counts()).toEqual({ person: spent, installation: spent, held: [0, 0] });
  });

  test.each([2, 3])(
    "and is refused by everybody's budget, before script %i calls the person's part off",
    async (at) => {
      await redis.flushdb();
      expect(await oneProcess({}, 5).reserve({ id: "r:1", scope, estimate: money(10) })).toMatchObject({
        kind: "refused",
      });
      await oneProcess(dieAround(at, "before"), 5)
        .reserve({ id: "r:1", scope, estimate: money(10) })
        .catch(() => undefined);
      await attempt(oneProcess(), 10, 3);
      expect(await counts()).toEqual({ person: 3, installation: 3, held: [0, 0] });
    },
  );

  test("over and over, also while it looks after what earlier ones left: all budgets agree and nothing is missed", async () => {
    const death = fc.record({
      at: fc.nat({ max: 9 }),
      moment: fc.constantFrom("before" as const, "after" as const),
      estimate: fc.integer({ min: 5, max: 12 }),
      actual: fc.integer({ min: 0, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(death, { maxLength: 5 }), async (deaths) => {
        await redis.flushdb();
        let paid = 0;
        for (const { at, moment, estimate, actual } of deaths)
          paid += await attempt(oneProcess(dieAround(at, moment)), estimate, actual);
        paid += await attempt(oneProcess(), 10, 3);
        const { person, installation, held } = await counts();
        expect(person).toBe(installation);
        expect(held).toEqual([0, 0]);
        expect(person).toBeGreaterThanOrEqual(paid);
        expect(person).toBeLessThanOrEqual(deaths.reduce((sum, { estimate }) => sum + estimate, 3));
      }),
      { numRuns: 150 },
    );
  });

  test("and a step nobody repeats holds nothing back after its deadline", async () => {
    await attempt(oneProcess(dieAround(1, "after")), 10, 7);
    await redis.zadd("{ws:ada}:budget:holds", 1, "{ws:ada}:budget:hold:r:1");
    await redis.zadd("{budget}:holds", 1, "{budget}:hold:r:1");
    expect(await counts()).toEqual({ person: 0, installation: 0, held: [0, 0] });
    // If it is repeated after all, the call that may have been made still counts.
    await attempt(oneProcess(), 10, 3);
    expect(await counts()).toEqual({ person: 13, installation: 13, held: [0, 0] });
  });
});

describe("a process that stands still over a step while another one does it, and then goes on", () => {
  test.each([0, 1, 2, 3])("before script %i: all budgets agree and every call counts", async (at) => {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const standing = oneProcess({
      async before(now) {
        if (now !== at) return;
        reached.resolve();
        await released.promise;
      },
    });
    const late = attempt(standing, 10, 7).catch((error: unknown) => {
      if (error instanceof OutsideError) return 0;
      throw error;
    });
    await reached.promise;
    let paid = await attempt(oneProcess(), 10, 3);
    released.resolve();
    paid += await late;
    const { person, installation, held } = await counts();
    expect(person).toBe(installation);
    expect(person).toBeGreaterThanOrEqual(paid);
    expect(person).toBeLessThanOrEqual(13);
    expect(held).toEqual([0, 0]);
  });

  test("is told so when it had not begun to spend", async () => {
    const released = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const standing = oneProcess({
      async before(at) {
        if (at !== 1) return;
        reached.resolve();
        await released.promise;
      },
    });
    const late = standing.reserve({ id: "r:1", scope, estimate: money(10) });
    await reached.promise;
    await attempt(oneProcess(), 10, 3);
    released.resolve();
    await expect(late).rejects.toThrow("Step r:1 is being done by a later attempt");
    expect(await counts()).toEqual({ person: 3, installation: 3, held: [0, 0] });
  });
});

test("attempts at one step that mix in any order: all budgets agree and every call counts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 3 }), async (scheduler, count) => {
      await redis.flushdb();
      const before = scheduler.scheduleFunction(() => Promise.resolve());
      const attempts = Array.from({ length: count }, () =>
        attempt(oneProcess({ before }), 10, 3).catch((error: unknown) => {
          if (error instanceof OutsideError) return 0;
          throw error;
        }),
      );
      const all = Promise.all(attempts);
      await scheduler.waitFor(all);
      const paid = (await all).reduce((sum, one) => sum + one, 0);
      const { person, installation, held } = await counts();
      expect(person).toBe(installation);
      expect(person).toBeGreaterThanOrEqual(paid);
      expect(held).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});

test("commands that are sent again count once", async () => {
  const budgets = oneProcess({ twice: true });
  const first = await budgets.reserve({ id: "r:1", scope, estimate: money(10) });
  expect(first).toMatchObject({ kind: "ok", notices: [] });
  expect((await counts()).held).toEqual([10, 10]);
  await attempt(budgets, 10, 3);
  expect(await counts()).toEqual({ person: 13, installation: 13, held: [0, 0] });
});

test("every script touches the keys of one slot only", async () => {
  const tags: string[][] = [];
  const seen = faulty(redis, {});
  const watching = new Proxy(seen, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== "evalsha" || typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        tags.push([...new Set(args.flatMap((arg) => /^\{[^}]+\}/.exec(String(arg)) ?? []))]);
        return Reflect.apply(value, target, args);
      };
    },
  });
  const budgets = createBudgets({
    redis: watching,
    config: () => ({ currency: "USD", zone: "UTC", limits: [{ of: "installation", per: "day", tokens: 1000 }] }),
    clock: { now: () => 0 },
    newId: () => `n${++ids}`,
  });
  await attempt(budgets, 10, 3);
  await attempt(budgets, 10, 3);
  await budgets.usage(scope);
  expect(tags.length).toBeGreaterThan(6);
  for (const tag of tags) expect([["{ws:ada}"], ["{budget}"]]).toContainEqual(tag);
});
