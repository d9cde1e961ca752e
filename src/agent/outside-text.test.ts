import { expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { stepLine } from "../engine/journal.ts";
import { parseRunId, parseWorkspaceId } from "../kernel/ids.ts";
import { bringsOutsideText, outsideSources, sendsOut } from "./outside-text.ts";
import { readRun } from "./runs.ts";

const ANN = parseWorkspaceId("ann");
const run = (...lines: readonly string[]) => readRun(parseRunId("r"), entriesOf(...lines));
const mine = (more = {}) => message("m", "hi", { workspaceId: ANN, ...more });
const labelled = (from: string, step = "tool_1_1") =>
  stepLine({ step, outcome: { value: { content: "x", ok: true, from } }, at: 1, ms: 1, tries: 1 });
const file = (state: "received" | "unsupported") => ({
  attachments: [{ name: "a.pdf", mimeType: "application/pdf", bytes: 1, state }],
});

test.each<{ given: string; lines: readonly string[]; sources: readonly string[] }>([
  { given: "one's own words", lines: [line.opened("r", mine())], sources: [] },
  { given: "a result without a label", lines: [line.opened("r", mine()), line.result(1, 1, "x")], sources: [] },
  { given: "a labelled result", lines: [line.opened("r", mine()), labelled("web_fetch")], sources: ["web_fetch"] },
  {
    given: "the same source twice",
    lines: [line.opened("r", mine()), labelled("web_fetch"), labelled("web_fetch", "tool_1_2")],
    sources: ["web_fetch"],
  },
  { given: "somebody else's message", lines: [line.opened("r", message("m", "hi"))], sources: ["other people"] },
  {
    given: "somebody else who joined",
    lines: [line.opened("r", mine()), line.joined(message("n", "psst"))],
    sources: ["other people"],
  },
  {
    given: "a message nobody can read",
    lines: [line.opened("r", mine()), line.joined({ id: "n", workspaceId: 7 })],
    sources: ["other people"],
  },
  { given: "a file", lines: [line.opened("r", mine(file("received")))], sources: ["files"] },
  { given: "a file that was not taken", lines: [line.opened("r", mine(file("unsupported")))], sources: [] },
])("$given: $sources", ({ lines, sources }) => {
  expect(outsideSources([run(...lines)], ANN)).toEqual(sources);
});

test("a tool's text counts as from outside unless it says otherwise, and what is once as sending", () => {
  expect([{}, { trusted: false }, { trusted: true }].map(bringsOutsideText)).toEqual([true, true, false]);
  const calls = [{ effect: "once" }, { effect: "once", sends: false }, { effect: "idempotent", sends: true }] as const;
  expect(calls.map(sendsOut)).toEqual([true, false, false]);
});
