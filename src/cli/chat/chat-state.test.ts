import { describe, expect, test } from "vitest";
import {
  afterEvent,
  afterLook,
  afterQuestion,
  afterReply,
  afterSend,
  afterSettled,
  INITIAL,
  isBusy,
  isLate,
  isQuiet,
  type ChatState,
} from "./chat-state.ts";
import type { ChatEvent } from "./chat-event.ts";
import { statusLine } from "./status-line.ts";

const started = { status: "started", position: 0 } as const;
const sent = afterReply(afterSend(INITIAL, "m1", "hi"), "m1", started);
const running = afterEvent(sent, { type: "run.started", run_id: "r1", message_ids: ["m1"] });
const asked = afterQuestion(running, ["tea", "coffee"]);
const queued = afterReply(afterSend(running, "m2", "more"), "m2", { status: "queued", position: 1 });

const states = (state: ChatState) => state.pending.map(({ id, state }) => `${id} ${state}`);

describe("messages of ours", () => {
  test.each<[string, ChatState, string[]]>([
    ["sent", afterSend(INITIAL, "m1", "hi"), ["m1 sending"]],
    ["taken by the bot", sent, ["m1 taken"]],
    ["queued", queued, ["m1 taken", "m2 queued"]],
    ["asked back", asked, ["m1 asked"]],
    ["asked back, and a command", afterQuestion(afterSend(running, "m2", "/status")), ["m1 asked", "m2 sending"]],
    ["answered", afterSettled(queued, "m1"), ["m2 queued"]],
    ["withdrawn", afterEvent(queued, { type: "message.withdrawn", message_id: "m2" }), ["m1 taken"]],
    [
      "asked back before the reply came",
      afterReply(afterQuestion(afterSend(INITIAL, "m1", "hi")), "m1", started),
      ["m1 asked"],
    ],
    ["unknown", afterReply(INITIAL, "m9", started), []],
  ])("%s", (_, state, expected) => {
    expect(states(state)).toEqual(expected);
  });

  test("a question that was answered elsewhere leaves them in the hands of the run", () => {
    expect(states(afterLook(asked, { state: "running", run_id: "r1" }))).toEqual(["m1 taken"]);
  });

  test("the end of a run brings those that wait one place forward", () => {
    const ended = afterEvent(afterSettled(queued, "m1"), { type: "run.ended", run_id: "r1" });
    expect(ended.pending).toMatchObject([{ id: "m2", ahead: 0 }]);
  });

  test("the end of a command's run changes nothing", () => {
    expect(afterEvent(queued, { type: "run.ended", run_id: "r9" })).toBe(queued);
  });
});

describe("a question", () => {
  test.each<[string, ChatState, readonly string[] | undefined]>([
    ["is open once it was asked", asked, ["tea", "coffee"]],
    ["is open during a command", afterSend(asked, "m2", "/status"), ["tea", "coffee"]],
    ["is answered by the next message", afterSend(asked, "m2", "tea"), undefined],
    ["is over with its run", afterEvent(asked, { type: "run.ended", run_id: "r1" }), undefined],
    ["is not open before it was shown", afterLook(running, { state: "waiting", run_id: "r1" }), undefined],
    ["keeps its choices over an interruption", afterLook(asked, { state: "waiting", run_id: "r1" }), ["tea", "coffee"]],
    ["is over when nothing waits any more", afterLook(asked, { state: "running", run_id: "r1" }), undefined],
    [
      "is not open again while its answer is on its way",
      afterLook(afterSend(asked, "m2", "tea"), { state: "waiting", run_id: "r1" }),
      undefined,
    ],
  ])("%s", (_, state, choices) => {
    expect(state.question?.choices).toEqual(choices);
  });
});

describe("a call that waits for an approval", () => {
  const card = (id: string, state = "open"): ChatEvent => ({
    type: "delivery",
    delivery: { id: `r1:${id}:0`, kind: "approval", text: "May I?", answers: [], approval: { id, state } },
  });
  const decided = (id: string) => ({ type: "approval.decided", approval_id: id }) as const;
  const one = afterEvent(running, card("apr_1"));
  const two = afterEvent(one, card("apr_2"));

  test.each<[string, ChatState, readonly string[], boolean]>([
    ["waits for us", one, ["m1 asked"], true],
    ["is decided: the run goes on", afterEvent(one, decided("apr_1")), ["m1 taken"], false],
    ["is decided and another is not", afterEvent(two, decided("apr_1")), ["m1 asked"], true],
    ["both are decided", afterEvent(afterEvent(two, decided("apr_1")), decided("apr_2")), ["m1 taken"], false],
    ["is shown again after it was decided", afterEvent(running, card("apr_1", "approved")), ["m1 taken"], false],
    ["was decided in another place", afterLook(one, { state: "running", run_id: "r1" }), ["m1 taken"], false],
    ["is still open after an interruption", afterLook(one, { state: "waiting", run_id: "r1" }), ["m1 asked"], true],
    ["ended with its run", afterEvent(one, { type: "run.ended", run_id: "r1" }), ["m1 asked"], true],
  ])("%s", (_, state, expected, quiet) => {
    expect({ states: states(state), quiet: isQuiet(state) }).toEqual({ states: expected, quiet });
  });

  test("is what the status line asks for", () => {
    expect(statusLine({ ...one, link: "open" })).toBe("Type /approve or /deny");
    expect(statusLine({ ...afterEvent(one, decided("apr_1")), link: "open" })).toBe("Working …");
  });
});

test.each<[string, ChatState, boolean, boolean]>([
  ["at the beginning", INITIAL, true, false],
  ["while a message is sent", afterSend(INITIAL, "m1", "hi"), false, true],
  ["while a command is sent", afterSend(INITIAL, "m1", "/help"), false, false],
  ["during a run", running, false, true],
  ["during somebody else's run", afterLook(INITIAL, { state: "running", run_id: "r1" }), true, true],
  ["when something is asked", asked, true, true],
  ["when the answer is sent", afterSend(asked, "m2", "tea"), false, true],
  ["when all is answered", afterEvent(afterSettled(running, "m1"), { type: "run.ended", run_id: "r1" }), true, false],
])("%s: quiet and busy", (_, state, quiet, busy) => {
  expect({ quiet: isQuiet(state), busy: isBusy(state) }).toEqual({ quiet, busy });
});

test("what a stopped run still sends is late", () => {
  const late = { type: "run.progress", run_id: "r1", label: "Thinking" } as const;
  const ended = afterEvent(running, { type: "run.ended", run_id: "r1" });
  expect([isLate(running, late), isLate(ended, late)]).toEqual([false, true]);
  expect(afterEvent(ended, late)).toBe(ended);
});

const open = (state: ChatState): ChatState => ({ ...state, link: "open" });
test.each<[string, ChatState]>([
  ["", open(INITIAL)],
  ["Sending …", open(afterSend(INITIAL, "m1", "hi"))],
  ["Working …", open(sent)],
  ["Working …", open(running)],
  ["Using calculate …", open(afterEvent(running, { type: "run.progress", run_id: "r1", label: "Using calculate" }))],
  ["Working … · 1 queued, 1 ahead", open(queued)],
  [
    "Working … · 2 queued, 1 ahead of the first",
    open(afterReply(afterSend(queued, "m3", "x"), "m3", { status: "queued", position: 2 })),
  ],
  ["Type a number, or an answer", open(asked)],
  ["Waiting for your answer", open(afterQuestion(running))],
  ["The bot does not answer; trying again …", { ...running, link: "lost" }],
])("the status line says %j", (line, state) => {
  expect(statusLine(state)).toBe(line);
});
