import { expect, test } from "vitest";
import { compareSnowflakes, isSnowflake, laterSnowflake, snowflakeAt, timeOfSnowflake } from "./snowflake.ts";

test("an id says when it was given", () => {
  // The example of Discord's documentation.
  expect(timeOfSnowflake("175928847299117063")).toBe(1_462_015_105_796);
});

test("the first id of a moment is not after any other of that moment", () => {
  const id = snowflakeAt(1_462_015_105_796);
  expect(timeOfSnowflake(id)).toBe(1_462_015_105_796);
  expect(compareSnowflakes(id, "175928847299117063")).toBeLessThan(0);
});

test("ids are ordered as numbers, not as texts", () => {
  expect(laterSnowflake("999", "1000")).toBe("1000");
});

test.each([
  ["175928847299117063", true],
  ["", false],
  ["m1", false],
  ["123456789012345678901", false],
])("%j can be an id: %s", (text, expected) => {
  expect(isSnowflake(text)).toBe(expected);
});
