import { expect, test } from "vitest";
import { groupCalls } from "./tool-calls.ts";

test.each([
  { calls: "", groups: "" },
  { calls: "r", groups: "r" },
  { calls: "rrr", groups: "rrr" },
  { calls: "www", groups: "w|w|w" },
  { calls: "rrwrr", groups: "rr|w|rr" },
  { calls: "wrrw", groups: "w|rr|w" },
  { calls: "rwrwr", groups: "r|w|r|w|r" },
])("calls $calls (r reads, w writes) run as $groups", ({ calls, groups }) => {
  const given = calls.split("").map((name, index) => ({ id: String(index), name, args: "{}" }));
  const grouped = groupCalls(given, (name) => name === "r");
  expect(grouped.map((group) => group.map(({ call }) => call.name).join("")).join("|")).toBe(groups);
  expect(grouped.flat().map(({ index }) => index)).toEqual(given.map((_call, index) => index));
});
