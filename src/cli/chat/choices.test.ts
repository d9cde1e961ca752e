import { expect, test } from "vitest";
import { listChoices, resolveChoice } from "./choices.ts";

const choices = ["Keep my memory", "Forget it", "7"];

test.each([
  ["1", "Keep my memory"],
  [" 2 ", "Forget it"],
  ["2.", "Forget it"],
  ["2)", "Forget it"],
  ["3", "7"],
  ["0", "0"],
  ["4", "4"],
  ["7", "7"],
  ["1 please", "1 please"],
  ["Forget it", "Forget it"],
])("typing %j sends %j", (line, sent) => {
  expect(resolveChoice(line, choices)).toBe(sent);
});

test("without choices a number is a number", () => {
  expect(resolveChoice("1", [])).toBe("1");
});

test("choices are numbered from one", () => {
  expect(listChoices(["tea", "coffee"])).toBe("  1. tea\n  2. coffee");
});
