import { expect, test } from "vitest";
import { threadName } from "./threads.ts";

test.each([
  ["plan the week", "plan the week"],
  ["  two\nlines ", "two lines"],
  ["", "Answer"],
  ["x".repeat(200), `${"x".repeat(59)}…`],
  ["🦀".repeat(61), `${"🦀".repeat(59)}…`],
])("a thread about %j is called %j", (text, name) => {
  expect(threadName(text)).toBe(name);
});
