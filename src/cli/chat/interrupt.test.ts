import { expect, test } from "vitest";
import { decideInterrupt } from "./interrupt.ts";

test.each([
  [{ again: false, busy: true, typed: false }, "stop"],
  [{ again: false, busy: true, typed: true }, "stop"],
  [{ again: false, busy: false, typed: true }, "clear"],
  [{ again: false, busy: false, typed: false }, "hint"],
  [{ again: true, busy: true, typed: false }, "leave"],
  [{ again: true, busy: false, typed: true }, "leave"],
] as const)("Ctrl+C with %j: %s", (given, what) => {
  expect(decideInterrupt(given)).toBe(what);
});
