import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costOf, estimateSpending, spendingOf } from "./pricing.ts";

describe("the cost of a call, in millionths", () => {
  test.each([
    { what: "nothing without a price", count: [1000, 1000], price: undefined, cost: 0 },
    {
      what: "input and output have their own price",
      count: [1000, 100],
      price: { input: 2.5, output: 10 },
      cost: 3500,
    },
    {
      what: "a part of a millionth counts as a whole one",
      count: [1, 0],
      price: { input: 0.15, output: 0.6 },
      cost: 1,
    },
    { what: "rounded once, not per kind", count: [1, 1], price: { input: 0.15, output: 0.6 }, cost: 1 },
    { what: "no token, no cost", count: [0, 0], price: { input: 3, output: 15 }, cost: 0 },
    {
      what: "cached input has a price of its own",
      count: [1000, 0, 600],
      price: { input: 2.5, output: 10, cachedInput: 0.25 },
      cost: 1150,
    },
    { what: "or that of other input", count: [1000, 0, 600], price: { input: 2.5, output: 10 }, cost: 2500 },
    {
      what: "more cached input than input is input",
      count: [10, 0, 600],
      price: { input: 2, output: 1, cachedInput: 1 },
      cost: 10,
    },
    { what: "a third of a token is a token", count: [0.3, 0], price: { input: 2, output: 1 }, cost: 2 },
    {
      what: "large numbers stay exact",
      count: [999_999_999, 999_999_999],
      price: { input: 900.000001, output: 900.000001 },
      cost: 1_800_000_000_200,
    },
  ])("$what", ({ count: [inputTokens = 0, outputTokens = 0, cachedInputTokens], price, cost }) => {
    const count = { inputTokens, outputTokens, ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }) };
    expect(costOf(count, price)).toBe(cost);
  });

  test("is a whole number, never below the exact one, and less than one above it", () => {
    const tokens = fc.nat({ max: 2_000_000 });
    const price = fc.nat({ max: 90_000 }).map((n) => n / 1000);
    fc.assert(
      fc.property(tokens, tokens, price, price, (inputTokens, outputTokens, input, output) => {
        const cost = costOf({ inputTokens, outputTokens }, { input, output });
        const exact = inputTokens * input + outputTokens * output;
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(cost).toBeGreaterThanOrEqual(exact - 0.001);
        expect(cost).toBeLessThan(exact + 1.001);
      }),
    );
  });
});

describe("what a call takes out of a budget", () => {
  test("is what it used, at the price of the model that answered", () => {
    expect(spendingOf({ inputTokens: 100, outputTokens: 10 }, { input: 1, output: 2 })).toEqual({
      tokens: 110,
      money: 120,
      steps: 1,
    });
  });

  test("is estimated with a margin for the input, at the dearest price that may apply", () => {
    const prices = [{ input: 1, output: 1 }, undefined, { input: 5, output: 1 }];
    expect(estimateSpending({ inputTokens: 100, outputTokens: 10 }, prices)).toEqual({
      tokens: 150,
      money: 710,
      steps: 1,
    });
    expect(estimateSpending({ inputTokens: 1, outputTokens: 0 }, [])).toEqual({ tokens: 2, money: 0, steps: 1 });
  });
});
