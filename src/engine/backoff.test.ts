import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs, DEFAULT_RETRY } from "./backoff.ts";

const policy = { tries: 9, baseMs: 100, maxMs: 1_000 };

test.each([
  { failed: 1, chance: 0, asked: undefined, ms: 50 },
  { failed: 1, chance: 0.5, asked: undefined, ms: 75 },
  { failed: 2, chance: 0, asked: undefined, ms: 100 },
  { failed: 4, chance: 0, asked: undefined, ms: 400 },
  { failed: 5, chance: 0, asked: undefined, ms: 500 },
  { failed: 90, chance: 0, asked: undefined, ms: 500 },
  { failed: 1, chance: 0, asked: 5_000, ms: 5_000 },
  { failed: 4, chance: 0, asked: 10, ms: 400 },
])(
  "after $failed failed tries, chance $chance and $asked asked for, the wait is $ms ms",
  ({ failed, chance, asked, ms }) => {
    expect(backoffMs(policy, failed, chance, asked)).toBe(ms);
  },
);

test("a wait is a whole number of milliseconds, at least 1, and never longer than the policy or what was asked for", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat({ max: 100_000 }),
      (failed, chance, asked) => {
        const ms = backoffMs(DEFAULT_RETRY, failed, chance, asked);
        expect(Number.isSafeInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(Math.max(1, asked));
        expect(ms).toBeLessThanOrEqual(Math.max(DEFAULT_RETRY.maxMs, asked));
      },
    ),
  );
});
