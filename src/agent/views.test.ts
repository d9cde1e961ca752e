import { describe, expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { parseConversationId, parseRunId } from "../kernel/ids.ts";
import type { LaneState } from "../store/lane-state.ts";
import { readRuns } from "./runs.ts";
import { toRunView, transcriptOf } from "./views.ts";

const conversation = parseConversationId("api:c");
const idle: LaneState = { kind: "idle" };

/** A transcript in a form that reads well. */
const shown = (...lines: readonly string[]) =>
  transcriptOf(readRuns(entriesOf(...lines)), 10).map(({ id, role, text }) => `${role} ${id}: ${text}`);

describe("what people said and saw", () => {
  const opened = line.opened("r", message("m1", "hi"));
  const asking = line.reply(1, "", [{ name: "ask_user" }]);

  test.each<{ given: string; lines: readonly string[]; reads: readonly string[] }>([
    {
      given: "an answer under the id it was delivered with",
      lines: [opened, line.reply(1, "hello"), line.ended("r", "done")],
      reads: ["user m1: hi", "assistant r:ai_call_1:0: hello"],
    },
    {
      given: "only the last reply of a run that used tools",
      lines: [
        opened,
        line.reply(1, "let me see", [{ name: "a" }]),
        line.result(1, 1, "A"),
        line.reply(2, "here"),
        line.ended("r", "done"),
      ],
      reads: ["user m1: hi", "assistant r:ai_call_2:0: here"],
    },
    {
      given: "what was added to an answer",
      lines: [opened, line.reply(1, "hello"), line.ended("r", "done", "hello\n\nPlease check.")],
      reads: ["user m1: hi", "assistant r:ai_call_1:0: hello\n\nPlease check."],
    },
    {
      given: "nothing yet of a run that is going",
      lines: [opened, line.reply(1, "", [{ name: "a" }])],
      reads: ["user m1: hi"],
    },
    {
      given: "a failure",
      lines: [opened, line.ended("r", "failed", "No. (error r)")],
      reads: ["user m1: hi", "assistant r:failed:0: No. (error r)"],
    },
    {
      given: "a stop, even after a reply",
      lines: [opened, line.reply(1, "x", [{ name: "a" }]), line.ended("r", "stopped", "Stopped.")],
      reads: ["user m1: hi", "assistant r:stop:0: Stopped."],
    },
    {
      given: "nothing of a run that chose silence",
      lines: [opened, line.ended("r", "silent")],
      reads: ["user m1: hi"],
    },
    {
      given: "a card in its place, before what joined later",
      lines: [opened, line.reply(1, "", [{ name: "pay" }]), line.approval(1, 1), line.joined(message("m2", "soon?"))],
      reads: [
        "user m1: hi",
        expect.stringMatching(/^assistant r:tool_1_1:0: May I call \*\*pay\*\*\?/),
        "user m2: soon?",
      ],
    },
    {
      given: "a command",
      lines: [line.opened("r", message("m1", "/reset")), line.ended("r", "done", "Nothing was changed.")],
      reads: ["user m1: /reset", "assistant r:command:0: Nothing was changed."],
    },
    {
      given: "a question and its answer in their places",
      lines: [
        opened,
        asking,
        line.question(1, 1, "which?"),
        line.asked(1, 1),
        line.joined(message("m2", "that")),
        line.reply(2, "ok"),
        line.ended("r", "done"),
      ],
      reads: ["user m1: hi", "assistant r:tool_1_1:0: which?", "user m2: that", "assistant r:ai_call_2:0: ok"],
    },
    {
      given: "a question that waits",
      lines: [opened, asking, line.question(1, 1, "which?"), line.asked(1, 1)],
      reads: ["user m1: hi", "assistant r:tool_1_1:0: which?"],
    },
    {
      given: "no question before it was put",
      lines: [opened, asking, line.question(1, 1, "which?")],
      reads: ["user m1: hi"],
    },
    {
      given: "a question nobody answered",
      lines: [
        opened,
        asking,
        line.question(1, 1, "which?"),
        line.asked(1, 1),
        line.expired(1, 1),
        line.reply(2, "then not"),
        line.ended("r", "done"),
      ],
      reads: ["user m1: hi", "assistant r:tool_1_1:0: which?", "assistant r:ai_call_2:0: then not"],
    },
    {
      given: "messages that were answered together",
      lines: [
        line.opened("r", message("m1", "a")),
        line.joined(message("m2", "b")),
        line.reply(1, "both"),
        line.ended("r", "done"),
      ],
      reads: ["user m1: a", "user m2: b", "assistant r:ai_call_1:0: both"],
    },
  ])("$given", ({ lines, reads }) => {
    expect(shown(...lines)).toEqual(reads);
  });

  test("several runs follow each other", () => {
    const second = [line.opened("s", message("m2", "and?")), line.reply(1, "so"), line.ended("s", "done")];
    expect(shown(opened, line.reply(1, "hello"), line.ended("r", "done"), ...second)).toHaveLength(4);
  });
});

describe("a run as operators see it", () => {
  const view = (state: LaneState, ...lines: readonly string[]) => {
    const [run] = readRuns(entriesOf(line.opened("r", message("m1", "hi")), ...lines));
    return run === undefined ? undefined : toRunView(run, conversation, state);
  };
  const runId = parseRunId("r");

  test.each<{ state: LaneState; lines: readonly string[]; status: string; attempt: number | undefined }>([
    { state: { kind: "run", runId, attempt: 2, token: "t" }, lines: [], status: "running", attempt: 2 },
    { state: { kind: "resume", runId, attempt: 1 }, lines: [], status: "running", attempt: 1 },
    { state: { kind: "parked", runId, attempt: 1, mail: true, key: "" }, lines: [], status: "waiting", attempt: 1 },
    {
      state: { kind: "run", runId: parseRunId("other"), attempt: 3, token: "t" },
      lines: [line.ended("r", "done")],
      status: "done",
      attempt: undefined,
    },
    { state: idle, lines: [line.ended("r", "stopped", "Stopped.")], status: "stopped", attempt: undefined },
    {
      state: { kind: "parked", runId: parseRunId("other"), attempt: 1, mail: true, key: "" },
      lines: [line.ended("r", "failed", "x")],
      status: "failed",
      attempt: undefined,
    },
  ])("in the lane state $state.kind it is $status", ({ state, lines, status, attempt }) => {
    expect(view(state, ...lines)).toMatchObject({ id: "r", status, attempt, messageIds: ["m1"], startedAt: 1 });
  });

  test("its steps are named by what they did, with those that began and have no end last", () => {
    const steps = view(
      idle,
      line.reply(1, "", [{ name: "look_up" }, { name: "pay" }, { name: "save" }]),
      line.result(1, 1, "ok"),
      line.intent(1, 2),
      line.tryFailed("tool_1_3", 1),
      line.tryFailed("tool_1_3", 2),
    )?.steps;
    expect(steps).toMatchObject([
      { name: "ai_call_1", what: "model", status: "done" },
      { name: "tool_1_1", what: "look_up", status: "done" },
      { name: "tool_1_2", what: "pay", status: "begun", tries: 1 },
      { name: "tool_1_3", what: "save", status: "begun", tries: 2 },
    ]);
  });

  test("a model that is being tried again is seen, with its tries", () => {
    expect(view(idle, line.tryFailed("ai_call_1", 3))?.steps).toMatchObject([
      { what: "model", status: "begun", tries: 3 },
    ]);
  });

  test("tokens of all its model calls are added up, and a failure keeps its reason", () => {
    const seen = view(idle, line.reply(1, "", [{ name: "a" }]), line.failure(1, 1, "timeout"), line.reply(2, "x"));
    expect(seen).toMatchObject({ inputTokens: 20, outputTokens: 10 });
    expect(seen?.steps[1]).toMatchObject({ status: "failed", error: { code: "timeout", message: "it was timeout" } });
  });
});

describe("the card of a call", () => {
  const lines = [line.opened("r", message("m1", "hi")), line.reply(1, "", [{ name: "pay" }]), line.approval(1, 1)];

  test.each<{ given: string; more: readonly string[]; now?: number; state: string }>([
    { given: "nothing more", more: [], state: "open" },
    { given: "an approval", more: [line.decided(1, 1, "approved")], state: "approved" },
    { given: "a denial", more: [line.decided(1, 1, "denied")], state: "denied" },
    { given: "two decisions", more: [line.decided(1, 1, "denied"), line.decided(1, 1, "approved")], state: "denied" },
    { given: "its time", more: [], now: 1_000, state: "expired" },
    { given: "the end of its run", more: [line.ended("r", "stopped", "Stopped.")], state: "over" },
    {
      given: "a decision and then the end",
      more: [line.decided(1, 1, "approved"), line.ended("r", "done", "x")],
      state: "approved",
    },
  ])("after $given is $state", ({ more, now = 10, state }) => {
    const said = transcriptOf(readRuns(entriesOf(...lines, ...more)), now);
    expect(said.find(({ kind }) => kind === "approval")?.approval).toMatchObject({ tool: "pay", state });
  });
});
