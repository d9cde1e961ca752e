import { expect, test } from "vitest";
import { formatTable, show } from "./table.ts";

test("columns are aligned: words to the left, figures to the right", () => {
  const rows = [
    ["a long name", "1"],
    ["b", "1,000"],
  ];
  expect(formatTable({ columns: ["what", "n"], rows })).toBe(
    ["what             n", "-----------  -----", "a long name      1", "b            1,000"].join("\n"),
  );
});

test.each([
  [1234.56, 0, "1,235"],
  [0.1234, 3, "0.123"],
  [undefined, 1, "-"],
  [Number.NaN, 1, "-"],
])("%d with %d decimals is shown as %j", (value, digits, expected) => {
  expect(show(value, digits)).toBe(expected);
});
