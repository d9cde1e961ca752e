import { describe, expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import type { Past } from "./history.ts";
import { readRuns, type RunRecord } from "./runs.ts";
import { judgeSummary, planSummary, summaryTokens } from "./summary-plan.ts";

const LIMITS = { on: true, share: 0.8, maxTokens: 100 };
const ROOM = { messages: 20, tokens: 1000 };
const weigh = (run: RunRecord) => ({ messages: 2, tokens: run.runId === "heavy" ? 900 : 10 });

const lines = (name: string) => [
  line.opened(name, message(name, name === "command" ? "/reset" : "q")),
  line.reply(1, "a"),
  line.ended(name, "done"),
];
const letters = (count: number) => "abcdefghijklmnopqrstuvwxyz".slice(0, count).split("");

function past(names: readonly string[], more: { upTo?: string; runsSince?: number } = {}): Past {
  const { upTo, runsSince = 99 } = more;
  return {
    runs: readRuns(entriesOf(...names.flatMap(lines))),
    summary: upTo === undefined ? undefined : { summary: { text: "s", upTo, runs: 1 } },
    runsSince,
  };
}

describe("which runs a new summary covers", () => {
  const cases: readonly { given: string; past: Past; limits?: object; room?: object; covers: string }[] = [
    { given: "nothing", past: past([]), covers: "" },
    { given: "history below the share", past: past(letters(8)), covers: "" },
    { given: "one run more", past: past(letters(9)), covers: "abcde" },
    { given: "the same, switched off", past: past(letters(9)), limits: { on: false }, covers: "" },
    { given: "a larger share", past: past(letters(9)), limits: { share: 1 }, covers: "" },
    { given: "runs that are covered already", past: past(letters(12), { upTo: "d" }), covers: "" },
    { given: "many more since those", past: past(letters(14), { upTo: "d" }), covers: "efghij" },
    { given: "a summary up to a run out of sight", past: past(letters(9), { upTo: "zz" }), covers: "abcde" },
    { given: "an attempt three runs ago", past: past(letters(9), { upTo: "zz", runsSince: 3 }), covers: "" },
    { given: "an attempt four runs ago", past: past(letters(9), { upTo: "zz", runsSince: 4 }), covers: "abcde" },
    { given: "no attempt, and few runs", past: past(["a", "heavy", "b"], { runsSince: 3 }), covers: "aheavy" },
    { given: "one heavy run as the newest", past: past(["a", "b", "heavy"]), covers: "ab" },
    { given: "one heavy run alone", past: past(["heavy"]), covers: "" },
    { given: "commands, which no model reads", past: past([...letters(8), "command"]), covers: "" },
    { given: "no room at all", past: past(["a", "b"]), room: { messages: 20, tokens: -5 }, covers: "a" },
  ];
  test.each(cases)("of $given: $covers", ({ past: before, limits = {}, room = {}, covers }) => {
    const covered = planSummary(before, { ...ROOM, ...room }, { ...LIMITS, ...limits }, weigh);
    expect(covered.map(({ runId }) => runId).join("")).toBe(covers);
  });
});

test.each([
  { maxTokens: 1000, history: 24_000, tokens: 1000 },
  { maxTokens: 1000, history: 2000, tokens: 500 },
  { maxTokens: 1000, history: 100, tokens: 50 },
])("a summary beside $history tokens of history has at most $tokens", ({ maxTokens, history, tokens }) => {
  expect(summaryTokens({ ...LIMITS, maxTokens }, history)).toBe(tokens);
});

describe("what becomes of a summary", () => {
  const limits = { maxTokens: 20, replacedTokens: 100 };
  test.each([
    { written: "  They met. \n", judged: { text: "They met." } },
    { written: " \n", judged: { problem: "it was empty" } },
    { written: "One two. Three four. Five six.", judged: { text: "One two. Three four." } },
    { written: "x".repeat(50), judged: { text: "x".repeat(20) } },
    { written: "中文。".repeat(20), judged: { text: "中文。".repeat(6) } },
    { written: "a".repeat(19) + "\u{1f600}\u{1f600}", judged: { text: "a".repeat(19) + "\ufffd" } },
  ])("that reads $written", ({ written, judged }) => {
    expect(judgeSummary(written, limits, (text) => text.length)).toEqual(judged);
  });

  test("that is not smaller than what it replaces: it is dropped", () => {
    const judge = (replacedTokens: number) =>
      judgeSummary("ten chars.", { maxTokens: 20, replacedTokens }, (text) => text.length);
    expect(judge(10)).toEqual({ problem: "it was not smaller than what it should replace" });
    expect(judge(11)).toEqual({ text: "ten chars." });
  });
});
