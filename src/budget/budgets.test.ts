import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { parseConversationId, parseWorkspaceId } from "../kernel/ids.ts";
import { costOf, spendingOf } from "../models/pricing.ts";
import type { BudgetRule, BudgetScope } from "./applying.ts";
import { createBudgets, type Budgets, type Reservation } from "./budgets.ts";
import { describeUsage, formatMoney } from "./text.ts";

let redis: Redis;
let now = 0;
let limits: readonly BudgetRule[] = [];
let budgets: Budgets;
let ids = 0;

beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());
beforeEach(async () => {
  await redis.flushdb();
  now = Date.parse("2026-11-21T10:00:00Z");
  limits = [];
  budgets = createBudgets({
    redis,
    config: () => ({ currency: "USD", zone: "UTC", limits }),
    clock: { now: () => now },
    newId: () => `n${++ids}`,
  });
});

const scope: BudgetScope = {
  workspaceId: parseWorkspaceId("ada"),
  conversationId: parseConversationId("web:1"),
  zone: "Europe/Madrid",
};
const bob: BudgetScope = { ...scope, workspaceId: parseWorkspaceId("bob") };
const cost = (units: number) => ({ tokens: 100, money: units * 1_000_000, steps: 1 });
const ask = (id: string, units: number, where = scope) => budgets.reserve({ id, scope: where, estimate: cost(units) });

async function reserved(id: string, units: number, where = scope): Promise<Reservation> {
  const result = await ask(id, units, where);
  if (result.kind !== "ok") throw new Error(`refused: ${JSON.stringify(result.budget)}`);
  return result.reservation;
}
async function spend(id: string, units: number, where = scope) {
  return budgets.settle(await reserved(id, units, where), cost(units));
}
/** Spent and held money of every budget, in whole units. */
async function counts(where = scope) {
  const usages = await budgets.usage(where);
  return Object.fromEntries(
    usages.map(({ of, per, spent, held }) => [`${of} ${per}`, [spent.money / 1_000_000, held.money / 1_000_000]]),
  );
}

describe("a reservation", () => {
  test("is held in every budget that applies, and settled in every one", async () => {
    limits = [
      { of: "installation", per: "month", money: 100 },
      { of: "conversation", per: "day", money: 100 },
      { of: "task", per: "total", money: 100 },
      { of: "schedule", per: "month", money: 100 },
    ];
    const where = { ...scope, taskId: "t", scheduleId: "s" };
    const reservation = await reserved("r:1", 5, where);
    const [held, spent] = [
      [0, 5],
      [3, 0],
    ];
    const every = (value: unknown) => ({
      "task total": value,
      "schedule month": value,
      "person day": value,
      "person month": value,
      "conversation day": value,
      "installation month": value,
    });
    expect(await counts(where)).toEqual(every(held));
    expect(await budgets.settle(reservation, cost(3))).toEqual({ kind: "settled", notices: [] });
    expect(await counts(where)).toEqual(every(spent));
  });

  test("is refused with the budget in the way and the moment it resets", async () => {
    limits = [{ of: "person", per: "day", money: 4 }];
    await spend("r:1", 3);
    expect(await ask("r:2", 2)).toEqual({
      kind: "refused",
      budget: {
        of: "person",
        per: "day",
        metric: "money",
        used: 3_000_000,
        limit: 4_000_000,
        zone: "Europe/Madrid",
        resetsAt: Date.parse("2026-11-21T23:00:00Z"),
      },
      wanted: 2_000_000,
      resetsAt: Date.parse("2026-11-21T23:00:00Z"),
    });
    expect(await ask("r:3", 1)).toMatchObject({ kind: "ok" });
  });

  test("names the budget that resets last when several are in the way", async () => {
    limits = [
      { of: "person", per: "day", money: 1 },
      { of: "person", per: "month", money: 1 },
    ];
    expect(await ask("r:1", 2)).toMatchObject({
      budget: { per: "month" },
      resetsAt: Date.parse("2026-11-30T23:00:00Z"),
    });
  });

  test("has no moment to name when a task's budget is in the way", async () => {
    limits = [
      { of: "person", per: "month", steps: 0 },
      { of: "task", per: "total", steps: 0 },
    ];
    expect(await ask("r:1", 1, { ...scope, taskId: "t" })).toMatchObject({
      budget: { of: "task" },
      resetsAt: undefined,
    });
  });

  test("refused by everybody's budget leaves nothing held in the person's", async () => {
    limits = [{ of: "installation", per: "day", money: 4 }];
    await reserved("r:1", 3, bob);
    expect(await ask("r:2", 2)).toMatchObject({ kind: "refused", budget: { of: "installation", used: 3_000_000 } });
    expect(await counts()).toMatchObject({ "person day": [0, 0], "installation day": [0, 3] });
  });

  test("of a step that is repeated counts the attempt nobody ended at its estimate", async () => {
    limits = [{ of: "installation", per: "day", money: 100 }];
    await reserved("r:1", 5);
    const again = await reserved("r:1", 4);
    expect(await counts()).toMatchObject({ "person day": [5, 4], "installation day": [5, 4] });
    await budgets.settle(again, cost(1));
    expect(await counts()).toMatchObject({ "person day": [6, 0], "installation day": [6, 0] });
  });

  test("that is settled late by an attempt that was given up counts once", async () => {
    limits = [{ of: "installation", per: "day", money: 100 }];
    const first = await reserved("r:1", 5);
    const second = await reserved("r:1", 5);
    expect(await budgets.settle(first, cost(2))).toEqual({ kind: "lost", notices: [] });
    await budgets.settle(second, cost(1));
    expect(await counts()).toMatchObject({ "person day": [6, 0], "installation day": [6, 0] });
  });

  test("may be settled twice, with zeros, and at its estimate", async () => {
    const [one, two, three] = [await reserved("r:1", 1), await reserved("r:2", 2), await reserved("r:3", 4)];
    await budgets.settle(one, cost(1));
    await budgets.settle(one, cost(1));
    await budgets.settle(two, { tokens: 0, money: 0, steps: 0 });
    await budgets.settle(three, "estimate");
    expect(await counts()).toMatchObject({ "person day": [5, 0] });
  });

  test("made before midnight is settled in the day in which it was made", async () => {
    now = Date.parse("2026-11-21T22:59:59Z");
    const reservation = await reserved("r:1", 5);
    now += 2000;
    await budgets.settle(reservation, cost(3));
    expect(await counts()).toMatchObject({ "person day": [0, 0], "person month": [3, 0] });
  });
});

describe("a new period", () => {
  test.each<{ what: string; rule: BudgetRule; zone: string; before: string; after: string }>([
    {
      what: "begins at the person's midnight",
      rule: { of: "person", per: "day", money: 1 },
      zone: "Asia/Tokyo",
      before: "2026-11-21T14:59:59Z",
      after: "2026-11-21T15:00:00Z",
    },
    {
      what: "begins after 23 hours when the clock goes forward",
      rule: { of: "person", per: "day", money: 1 },
      zone: "Europe/Madrid",
      before: "2026-03-29T21:59:59Z",
      after: "2026-03-29T22:00:00Z",
    },
    {
      what: "begins after 25 hours when it goes back",
      rule: { of: "person", per: "day", money: 1 },
      zone: "Europe/Madrid",
      before: "2026-10-25T22:59:59Z",
      after: "2026-10-25T23:00:00Z",
    },
    {
      what: "of a month begins with the month there",
      rule: { of: "person", per: "month", money: 1 },
      zone: "America/New_York",
      before: "2026-12-01T04:59:59Z",
      after: "2026-12-01T05:00:00Z",
    },
    {
      what: "for everybody begins in the installation's zone",
      rule: { of: "installation", per: "day", money: 1 },
      zone: "Asia/Tokyo",
      before: "2026-11-21T23:59:59Z",
      after: "2026-11-22T00:00:00Z",
    },
  ])("$what", async ({ rule, zone, before, after }) => {
    limits = [rule];
    now = Date.parse(before);
    const where = { ...scope, zone };
    await spend("r:1", 1, where);
    expect(await ask("r:2", 1, where)).toMatchObject({ kind: "refused", resetsAt: Date.parse(after) });
    now = Date.parse(after);
    expect(await ask("r:2", 1, where)).toMatchObject({ kind: "ok" });
  });

  test("cannot be had by moving to another zone on the same date", async () => {
    limits = [{ of: "person", per: "day", money: 1 }];
    await spend("r:1", 1);
    expect(await ask("r:2", 1, { ...scope, zone: "America/New_York" })).toMatchObject({ kind: "refused" });
    expect(await ask("r:2", 1, { ...scope, zone: "Asia/Tokyo" })).toMatchObject({ kind: "refused" });
  });
});

describe("the notice at 80 %", () => {
  test("comes once in a period, from the call that reaches it", async () => {
    limits = [{ of: "person", per: "day", money: 10 }];
    expect((await spend("r:1", 7)).notices).toEqual([]);
    expect((await spend("r:2", 1)).notices).toMatchObject([
      { of: "person", per: "day", metric: "money", used: 8_000_000, limit: 10_000_000 },
    ]);
    expect(await ask("r:3", 1)).toMatchObject({ notices: [] });
    expect((await spend("r:4", 1)).notices).toEqual([]);
    now += 86_400_000;
    expect((await spend("r:5", 9)).notices).toMatchObject([{ used: 9_000_000 }]);
  });

  test("comes again to the same step, whose first telling may have been lost", async () => {
    limits = [{ of: "person", per: "day", money: 10 }];
    const first = await spend("r:1", 8);
    expect(first.notices).toHaveLength(1);
    expect(await ask("r:1", 1)).toMatchObject({ notices: first.notices });
  });

  test("comes for each budget that is reached", async () => {
    limits = [
      { of: "person", per: "day", money: 10 },
      { of: "installation", per: "day", steps: 1 },
    ];
    const { notices } = await spend("r:1", 9);
    expect(notices.map(({ of, metric }) => `${of} ${metric}`).toSorted()).toEqual([
      "installation steps",
      "person money",
    ]);
  });
});

describe("an extension", () => {
  beforeEach(() => {
    limits = [
      { of: "person", per: "day", money: 1 },
      { of: "installation", per: "month", money: 1 },
    ];
  });
  const extend = (more: object = {}) =>
    budgets.extend({ id: "x", scope, of: "person", per: "day", add: { money: 2_000_000 }, ...more });

  test("lets the refused step go on, until the budget resets", async () => {
    now = Date.now();
    limits = [{ of: "person", per: "day", money: 1 }];
    expect(await ask("r:1", 3)).toMatchObject({ kind: "refused", budget: { limit: 1_000_000 } });
    const { endsAt } = await extend();
    const { resetsAt } = (await budgets.usage(scope)).find(({ per }) => per === "day") ?? {};
    expect(endsAt).toBe(resetsAt);
    expect(await ask("r:1", 3)).toMatchObject({ kind: "ok" });
    expect(await budgets.usage(scope)).toMatchObject([{ limits: { money: 3_000_000 } }, { limits: {} }]);
  });

  test("of everybody's budget helps everybody", async () => {
    now = Date.now();
    limits = [{ of: "installation", per: "month", money: 1 }];
    await budgets.extend({ id: "x", scope, of: "installation", per: "month", add: { money: 1 }, endsAt: now + 60_000 });
    const micros = { tokens: 0, money: 1_000_001, steps: 0 };
    expect(await budgets.reserve({ id: "r:1", scope: bob, estimate: micros })).toMatchObject({ kind: "ok" });
  });

  test.each([
    ["that is over already", { endsAt: 5 }, /future/],
    ["of a task where there is none", { of: "task", per: "total" }, /no budget of a task/],
  ])("%s is refused", async (_what, more, message) => {
    await expect(extend(more)).rejects.toThrow(message);
  });

  test("ends within a month at the latest", async () => {
    expect(await extend({ endsAt: Infinity })).toEqual({ endsAt: now + 31 * 86_400_000 });
  });
});

test("what is shown as cost is the sum of what every call cost, to the millionth", async () => {
  const price = { input: 0.15, output: 0.6, cachedInput: 0.075 };
  const tokens = fc.nat({ max: 50_000 });
  const usage = fc.record({ inputTokens: tokens, outputTokens: tokens, cachedInputTokens: tokens });
  await fc.assert(
    fc.asyncProperty(fc.array(usage, { maxLength: 12 }), fc.infiniteStream(fc.boolean()), async (calls, order) => {
      await redis.flushdb();
      limits = [{ of: "installation", per: "day", money: 1_000_000 }];
      const open: (() => Promise<unknown>)[] = [];
      for (const [at, count] of calls.entries()) {
        const estimate = spendingOf({ ...count, outputTokens: 50_000 }, price);
        const result = await budgets.reserve({ id: `r:${at}`, scope, estimate });
        if (result.kind !== "ok") throw new Error("refused");
        open.push(() => budgets.settle(result.reservation, spendingOf(count, price)));
        if (order.next().value === true) await open.shift()?.();
      }
      await Promise.all(open.map((settle) => settle()));
      const sum = calls.map((count) => costOf(count, price)).reduce((a, b) => a + b, 0);
      const all = await budgets.usage(scope);
      for (const { spent, held } of all) {
        expect(spent).toEqual({
          money: sum,
          tokens: calls.reduce((a, { inputTokens, outputTokens }) => a + inputTokens + outputTokens, 0),
          steps: calls.length,
        });
        expect(held).toEqual({ tokens: 0, money: 0, steps: 0 });
      }
      if (sum > 0) expect(describeUsage(all, "USD").split(formatMoney(sum, "USD")).length).toBeGreaterThan(3);
    }),
    { numRuns: 40 },
  );
});
