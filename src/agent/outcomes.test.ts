import { describe, expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { parseRunId } from "../kernel/ids.ts";
import { describeDone, listNames, warnUnknown } from "./outcomes.ts";
import { readRun } from "./runs.ts";

const run = (...lines: readonly string[]) =>
  readRun(parseRunId("r"), entriesOf(line.opened("r", message("m", "hi")), ...lines));
const calls = (turn: number, ...names: readonly string[]) =>
  line.reply(
    turn,
    "",
    names.map((name, index) => ({ name, id: `${turn}-${index}` })),
  );

describe("what a run had done when it was stopped", () => {
  test.each<{ given: string; lines: readonly string[]; says: string }>([
    { given: "nothing", lines: [], says: "Nothing had been done yet." },
    { given: "only text", lines: [line.reply(1, "let me see")], says: "Nothing had been done yet." },
    {
      given: "calls that ended",
      lines: [
        calls(1, "a", "b"),
        line.result(1, 1, "A"),
        line.result(1, 2, "B"),
        calls(2, "a"),
        line.result(2, 1, "A"),
      ],
      says: "Already done: a (2 times), b.",
    },
    {
      given: "calls that failed",
      lines: [calls(1, "a", "b"), line.result(1, 1, "{}", false), line.failure(1, 2, "timeout")],
      says: "Tried without success: a, b.",
    },
    {
      given: "a call under way that noted its beginning",
      lines: [calls(1, "pay"), line.intent(1, 1)],
      says: "Under way when it was stopped, outcome unknown: pay.",
    },
    {
      given: "a call under way that did not",
      lines: [calls(1, "save", "pay")],
      says: "Under way when it was stopped, outcome unknown: save.",
    },
    {
      given: "a bit of everything",
      lines: [calls(1, "a", "b", "c", "d"), line.result(1, 1, "A"), line.failure(1, 2, "failed"), line.intent(1, 3)],
      says: "Already done: a. Tried without success: b. Under way when it was stopped, outcome unknown: c.",
    },
    {
      given: "an outcome that an earlier interruption left unknown",
      lines: [calls(1, "pay"), line.intent(1, 1), line.failure(1, 1, "outcome-unknown")],
      says: "Under way when it was stopped, outcome unknown: pay.",
    },
    {
      given: "a call that waits for an approval, and one behind it",
      lines: [calls(1, "look", "pay", "mail"), line.result(1, 1, "x"), line.approval(1, 2)],
      says: "Already done: look.",
    },
    {
      given: "a call that was approved and not done yet",
      lines: [calls(1, "pay"), line.approval(1, 1), line.decided(1, 1, "approved")],
      says: "Under way when it was stopped, outcome unknown: pay.",
    },
    {
      given: "a call nobody approved",
      lines: [calls(1, "pay"), line.approval(1, 1), line.decided(1, 1, "denied"), line.refused(1, 1)],
      says: "Not approved and not done: pay.",
    },
    {
      given: "a question, which is nothing that was done",
      lines: [calls(1, "ask_user"), line.question(1, 1, "which?"), line.asked(1, 1)],
      says: "Nothing had been done yet.",
    },
    { given: "a damaged result", lines: [calls(1, "a"), '={"s":"tool_1_1","v":5}'], says: "Tried without success: a." },
  ])("$given", ({ lines, says }) => {
    expect(describeDone(run(...lines))).toBe(says);
  });
});

describe("the warning about calls that may have taken effect", () => {
  test.each<{ given: string; lines: readonly string[]; names: string | undefined }>([
    { given: "none", lines: [calls(1, "a"), line.result(1, 1, "A")], names: undefined },
    {
      given: "one that ended after its beginning was noted",
      lines: [calls(1, "a"), line.intent(1, 1), line.result(1, 1, "A")],
      names: undefined,
    },
    { given: "one that may be repeated and has no result", lines: [calls(1, "a")], names: undefined },
    { given: "one that was begun", lines: [calls(1, "a"), line.intent(1, 1)], names: "a" },
    {
      given: "several whose outcome stayed unknown",
      lines: [
        calls(1, "a", "b", "a"),
        ...[1, 2, 3].flatMap((at) => [line.intent(1, at), line.failure(1, at, "outcome-unknown")]),
      ],
      names: "a (2 times), b",
    },
  ])("$given", ({ lines, names }) => {
    const warning =
      names === undefined
        ? undefined
        : expect.stringMatching(`^Please check: ${names.replace(/[()]/g, ".")} was interrupted`);
    expect(warnUnknown(run(...lines))).toEqual(warning);
  });
});

test("names are listed once, in the order they first came", () => {
  expect(listNames(["b", "a", "b", "b", "constructor"])).toBe("b (3 times), a, constructor");
  expect(listNames([])).toBe("");
});
