import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LimitState } from "./budgets.ts";
import { describeNotice, describeRefusal, describeUsage, formatMoney } from "./text.ts";

const resetsAt = Date.parse("2026-11-21T23:00:00Z");
const state: LimitState = {
  of: "person",
  per: "day",
  metric: "money",
  used: 1_000_000,
  limit: 1_000_000,
  zone: "Europe/Madrid",
  resetsAt,
};
const refused = (more: Partial<LimitState>, wanted: number) => {
  const budget = { ...state, ...more };
  return describeRefusal({ kind: "refused", budget, wanted, resetsAt: budget.resetsAt }, "USD");
};

describe("money in words", () => {
  test.each([
    [0, "0.00 USD"],
    [1, "0.000001 USD"],
    [10, "0.00001 USD"],
    [31_200, "0.0312 USD"],
    [500_000, "0.50 USD"],
    [1_000_000, "1.00 USD"],
    [1_234_567_890, "1,234.56789 USD"],
  ])("%i millionths are %s", (micros, text) => {
    expect(formatMoney(micros, "USD")).toBe(text);
  });

  test("loses nothing", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (micros) => {
        const [units = "", fraction = ""] = formatMoney(micros, "EUR")
          .replace(" EUR", "")
          .replaceAll(",", "")
          .split(".");
        expect(BigInt(units) * 1_000_000n + BigInt(fraction.padEnd(6, "0"))).toBe(BigInt(micros));
      }),
    );
  });
});

describe("in words for people", () => {
  test("what is used", () => {
    const text = describeUsage(
      [
        {
          of: "person",
          per: "day",
          zone: "Europe/Madrid",
          spent: { tokens: 12_345, money: 31_200, steps: 1 },
          held: { tokens: 0, money: 0, steps: 0 },
          limits: { money: 1_000_000, tokens: 100_000 },
          resetsAt,
        },
        {
          of: "task",
          per: "total",
          zone: "UTC",
          spent: { tokens: 7, money: 0, steps: 2 },
          held: { tokens: 0, money: 0, steps: 0 },
          limits: {},
        },
      ],
      "USD",
    );
    expect(text).toBe(
      "You, today: 12,345 tokens of 100,000 tokens, 0.0312 USD of 1.00 USD, 1 step. Resets on 22 Nov, 00:00 (Europe/Madrid).\n" +
        "This task: 7 tokens, 2 steps.",
    );
  });

  test.each([
    [
      refused({}, 20_000),
      "Your budget for today is used up: 1.00 USD of 1.00 USD used or set aside. It resets on 22 Nov, 00:00 (Europe/Madrid).",
    ],
    [
      refused({ used: 990_000, of: "installation", per: "month" }, 20_000),
      "What is left of the budget of this bot for this month is not enough: 0.99 USD of 1.00 USD used or set aside, and " +
        "the next step may need up to 0.02 USD. It resets on 22 Nov, 00:00 (Europe/Madrid).",
    ],
    [
      refused({ metric: "tokens", used: 0, limit: 500 }, 4000),
      "Your budget for today is smaller than one step: the next step may need up to 4,000 tokens, and the limit is 500 tokens.",
    ],
  ])("why not: %s", (text, expected) => {
    expect(text).toBe(expected);
  });

  test("why not, of a budget that never resets", () => {
    const { resetsAt: _never, ...total } = {
      ...state,
      of: "task",
      per: "total",
      metric: "steps",
      used: 5,
      limit: 5,
    } as const;
    expect(describeRefusal({ kind: "refused", budget: total, wanted: 1, resetsAt: undefined }, "USD")).toBe(
      "The budget of this task is used up: 5 steps of 5 steps used or set aside.",
    );
  });

  test("that most is used", () => {
    expect(describeNotice({ ...state, used: 815_000 }, "USD")).toBe(
      "81 % of your budget for today is used: 0.815 USD of 1.00 USD. It resets on 22 Nov, 00:00 (Europe/Madrid).",
    );
  });
});
