import { expect, test } from "vitest";
import { parseLaneState } from "./lane-state.ts";

test.each([
  [undefined, { kind: "idle" }],
  ["ready", { kind: "ready" }],
  ["resume|w.1|2|7|", { kind: "resume", runId: "w.1", attempt: 2 }],
  ["parked|w.1|1|7|1|", { kind: "parked", runId: "w.1", attempt: 1, mail: true, key: "" }],
  ["parked|w.1|1|7|0|a|b\nc", { kind: "parked", runId: "w.1", attempt: 1, mail: false, key: "a|b\nc" }],
  ["run|w.1|3|7|x.2", { kind: "run", runId: "w.1", attempt: 3, token: "x.2" }],
])("the state %j is read as %j", (text, state) => {
  expect(parseLaneState(text)).toEqual(state);
});

test.each(["", "run", "run|w.1", "flying|w.1|1|1|", "run|w.1|x|1|t"])("the state %j is refused by name", (text) => {
  expect(() => parseLaneState(text)).toThrow(`unreadable state "${text}"`);
});
