import { expect, test } from "vitest";
import { afterFailure, CLOSED, pauseOf } from "./circuit.ts";

const NOW = 1_000_000;

test.each([
  { failures: 0, pause: undefined },
  { failures: 1, pause: undefined },
  { failures: 2, pause: { ms: 2_000, off: false } },
  { failures: 3, pause: { ms: 60_000, off: true } },
  { failures: 4, pause: { ms: 120_000, off: true } },
  { failures: 6, pause: { ms: 480_000, off: true } },
  { failures: 7, pause: { ms: 900_000, off: true } },
  { failures: 2000, pause: { ms: 900_000, off: true } },
])("after $failures failures in a row the pause is $pause", ({ failures, pause }) => {
  let circuit = CLOSED;
  for (let n = 0; n < failures; n += 1) circuit = afterFailure(circuit, NOW, "it ended");
  expect(pauseOf(circuit, NOW)).toEqual(pause);
});

test("a pause is over in the end, and remembers why it was", () => {
  const circuit = [1, 2, 3].reduce((before) => afterFailure(before, NOW, "it ended"), CLOSED);
  expect(pauseOf(circuit, NOW + 59_999)).toEqual({ ms: 1, off: true });
  expect(pauseOf(circuit, NOW + 60_000)).toBeUndefined();
  expect(circuit.reason).toBe("it ended");
});
