import fc from "fast-check";
import { expect, test } from "vitest";

const { backoffMs } = await import(new URL("./backoff.js", import.meta.url).href);
const LIMITS = { first: 500, most: 8_000 };

test("waits double up to the most, and the last quarter of each is left to chance", () => {
  expect([1, 2, 3, 4, 5, 6, 1000].map((failures) => backoffMs(failures, LIMITS, 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 8000, 8000,
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, chance) => {
      const wait = backoffMs(failures, LIMITS, chance);
      const full = backoffMs(failures, LIMITS, 1);
      expect(wait).toBeGreaterThanOrEqual(full * 0.75 - 1);
      expect(wait).toBeLessThanOrEqual(full);
    }),
  );
});
