import { expect, test } from "vitest";
import { median, medianRatio, quantile } from "./statistics.ts";

test.each([
  [[3, 1, 2], 0.5, 2],
  [[1, 2, 3, 4], 0.5, 2.5],
  [[10], 0.99, 10],
  [[0, 100], 0.99, 99],
  [[2, 1], 0, 1],
])("the quantile of %j at %d is %d", (values, q, expected) => {
  expect(quantile(values, q)).toBe(expected);
});

test("nothing has no middle", () => {
  expect(median([])).toBeNaN();
});

test("a slow round counts in neither engine's favour, because pairs are compared", () => {
  expect(medianRatio([30, 3, 30], [10, 1, 10])).toBe(3);
});
