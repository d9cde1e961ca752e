import { describe, expect, test } from "vitest";

// The page's modules are JavaScript, which this project's type checker knows nothing of: they are loaded by address.
const { accept, aheadOf, apply, EMPTY, fromServer, openQuestion, reconcile } = await import(
  new URL("./conversation.js", import.meta.url).href
);

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const AT = "2026-01-02T03:04:05.000Z";

type Event = { readonly type: string; readonly [field: string]: unknown };

const received = (id: string, position: number, text = id): Event => ({
  type: "message.received",
  message_id: id,
  text,
  position,
});
const started = (...ids: string[]): Event => ({ type: "run.started", run_id: "r1", message_ids: ids });
const progress = (label: string, step = "ai_call_1", run = "r1"): Event => ({
  type: "run.progress",
  run_id: run,
  step,
  label,
});
const delta = (text: string, more: object = {}): Event => ({
  type: "text.delta",
  run_id: "r1",
  step: "ai_call_1",
  text,
  ...more,
});
const delivery = (id: string, more: object = {}): Event => ({
  type: "delivery",
  delivery: { id, kind: "answer", text: `said ${id}`, answers: [], at: AT, ...more },
});
const ended = (run = "r1", end = "done"): Event => ({ type: "run.ended", run_id: run, end });
const view = (state: string, waiting: string[] = [], run: string | null = state === "idle" ? null : "r1") => ({
  state,
  run_id: run,
  waiting: waiting.map((id) => ({ id, text: id, at: AT, user_id: "u" })),
});
const message = (id: string, role = "user", text = id) => ({ id, role, text, at: AT, run_id: "r1" });

function after(...events: Event[]) {
  return events.reduce((state, event) => apply(state, event, NOW), EMPTY);
}

/** What can be seen of a conversation, in one line. */
function seen(state: typeof EMPTY): string {
  const { history, waiting, run, draft } = state;
  const parts = [
    history.map((entry: { id: string }) => entry.id).join(" "),
    ...(waiting.length === 0 ? [] : [`waiting: ${waiting.map((entry: { text: string }) => entry.text).join(" ")}`]),
    ...(run === undefined ? [] : [`${run.phase}${run.label === "" ? "" : ` (${run.label})`}`]),
    ...(draft === undefined ? [] : [`draft: ${draft.partial ? "…" : ""}${draft.text}`]),
  ];
  return parts.join(", ");
}

test.each<[given: string, events: Event[], result: string]>([
  ["a message to an idle bot", [received("m1", 0)], "m1, working"],
  ["its run", [received("m1", 0), started("m1")], "m1, working (Starting)"],
  [
    "a message while it works",
    [received("m1", 0), started("m1"), received("m2", 1)],
    "m1, waiting: m2, working (Starting)",
  ],
  ["the same message told twice", [received("m1", 0), received("m1", 0)], "m1, working"],
  ["the next run takes it", [received("m1", 0), received("m2", 1), started("m2")], "m1 m2, working (Starting)"],
  [
    "a change of a waiting one",
    [received("m1", 1), { type: "message.changed", message_id: "m1", text: "new" }],
    ", waiting: new",
  ],
  ["a waiting one withdrawn", [received("m1", 1), { type: "message.withdrawn", message_id: "m1" }], ""],
  ["a tool", [started(), progress("Using calculate", "tool_1_1")], ", working (Using calculate)"],
  ["words", [started(), delta("It ", { reset: true }), delta("is")], ", working (Writing), draft: It is"],
  ["words whose beginning was missed", [started(), delta("is")], ", working (Writing), draft: …is"],
  ["a new attempt", [delta("It ", { reset: true }), delta("No", { reset: true })], ", working (Writing), draft: No"],
  [
    "a new attempt before its first word",
    [delta("It ", { reset: true }), progress("Thinking")],
    ", working (Thinking)",
  ],
  [
    "a tool after words",
    [delta("Let me see", { reset: true }), progress("Using x", "tool_1_1")],
    ", working (Using x), draft: Let me see",
  ],
  [
    "words of the next step",
    [delta("a", { reset: true }), delta("b", { reset: true, step: "ai_call_2" })],
    ", working (Writing), draft: b",
  ],
  ["the end before the answer", [started(), delta("It", { reset: true }), ended()], ", draft: It"],
  ["the answer", [started(), delta("It", { reset: true }), ended(), delivery("r1:ai_call_1:0")], "r1:ai_call_1:0"],
  ["the answer told twice", [delivery("r1:ai_call_1:0"), delivery("r1:ai_call_1:0")], "r1:ai_call_1:0"],
  ["a silent end", [started(), delta("It", { reset: true }), ended("r1", "silent")], ""],
  ["the end of another run", [started(), ended("r0")], ", working (Starting)"],
  ["late words of a run that is over", [started(), ended(), delta("late"), progress("Thinking")], ""],
  [
    "an answer to a message that joined",
    [received("m1", 0), received("m2", 1), delivery("r1:ai_call_1:0", { answers: ["m1", "m2"] })],
    "m1 m2 r1:ai_call_1:0, working",
  ],
  ["a question", [started("m1"), delivery("r1:tool_1_1:0", { kind: "question" })], "r1:tool_1_1:0, waiting"],
  [
    "the answer to a question",
    [delivery("r1:tool_1_1:0", { kind: "question" }), received("m2", 0)],
    "r1:tool_1_1:0 m2, working",
  ],
  ["a question of a run that is over", [ended(), delivery("r1:tool_1_1:0", { kind: "question" })], "r1:tool_1_1:0"],
  ["a command", [received("m1", 0, "/help")], "m1"],
  ["a command while it works", [started(), received("m1", 0, "/stop")], "m1, working (Starting)"],
  ["a command that takes its turn", [received("m1", 0, "/new")], "m1, working"],
])("%s", (_given, events, result) => {
  expect(seen(after(...events))).toBe(result);
});

test("messages wait behind what is being answered and behind each other", () => {
  const state = after(received("m1", 0), started("m1"), received("m2", 1), received("m3", 2));
  expect([0, 1].map((index) => aheadOf(state, index))).toEqual([1, 2]);
  expect(aheadOf(apply(state, ended(), NOW), 0)).toBe(0);
});

test("the reply to sending a message and the event of it are one message, whichever comes first", () => {
  const m2 = { id: "m2", text: "m2", at: NOW };
  const reply = { id: "m2", conversation_id: "c", status: "queued", position: 1 };
  const first = accept(after(received("m1", 0), started("m1")), m2, reply);
  expect(seen(first)).toBe("m1, waiting: m2, working (Starting)");
  expect(seen(apply(first, received("m2", 1), NOW))).toBe(seen(first));
  const taken = apply(apply(first, ended(), NOW), { ...started("m2"), run_id: "r2" }, NOW);
  expect(seen(accept(taken, m2, reply))).toBe("m1 m2, working (Starting)");
  expect(accept(EMPTY, m2, { ...reply, status: "duplicate", position: 0 })).toBe(EMPTY);
});

describe("asked for all of it", () => {
  test.each<
    [
      given: string,
      before: typeof EMPTY,
      view: ReturnType<typeof view> | undefined,
      transcript: string[],
      result: string,
    ]
  >([
    ["nobody ever spoke there", EMPTY, undefined, [], ""],
    ["all is over", after(delta("It", { reset: true })), view("idle"), ["m1", "r1:ai_call_1:0"], "m1 r1:ai_call_1:0"],
    ["it works", EMPTY, view("running", ["m2"]), ["m1"], "m1, waiting: m2, working"],
    ["one was taken between two questions", EMPTY, view("running", ["m2"]), ["m1", "m2"], "m1 m2, working"],
    ["it waits for the person", EMPTY, view("waiting"), ["m1", "r1:tool_1_1:0"], "m1 r1:tool_1_1:0, waiting"],
    ["it waits between two tries", EMPTY, view("waiting"), ["m1"], "m1, working"],
    [
      "it goes on after an answer",
      EMPTY,
      view("running"),
      ["m1", "r1:tool_1_1:0", "m2"],
      "m1 r1:tool_1_1:0 m2, working",
    ],
  ])("%s", (_given, before, answer, transcript, result) => {
    const said = transcript.map((id) => ({
      ...message(id, id.startsWith("m") ? "user" : "assistant"),
      ...(id.includes("tool_") ? { kind: "question" } : {}),
    }));
    expect(seen(fromServer(before, answer, said))).toBe(result);
  });

  test("commands and their answers, which the server forgets, stay where they were", () => {
    const before = after(
      received("m1", 0),
      received("c1", 0, "/help"),
      delivery("x:command:0", { kind: "notice" }),
      delivery("r1:ai_call_1:0"),
    );
    const later = [message("m1"), { ...message("r1:ai_call_1:0", "assistant"), at: "2026-01-02T03:05:00.000Z" }];
    expect(seen(fromServer(before, view("idle"), later))).toBe("m1 c1 x:command:0 r1:ai_call_1:0");
  });

  test("what was forgotten on the server is forgotten here", () => {
    expect(seen(fromServer(after(received("m1", 0), delivery("r1:ai_call_1:0")), view("idle"), []))).toBe("");
  });

  test("the choices of a question are known from its event", () => {
    const asked = after(delivery("r1:tool_1_1:0", { kind: "question", choices: ["tea", "coffee"] }));
    expect(openQuestion(asked)).toBe("r1:tool_1_1:0");
    const state = fromServer(asked, view("waiting"), [message("r1:tool_1_1:0", "assistant")]);
    expect(state.history[0].choices).toEqual(["tea", "coffee"]);
    expect(openQuestion(state)).toBe("r1:tool_1_1:0");
  });
});

test("a waiting message that waits no more was taken", () => {
  const before = after(received("m1", 0), received("m2", 1), received("m3", 2));
  expect(seen(reconcile(before, view("running", ["m3"])))).toBe("m1 m2, waiting: m3, working");
});

test("a question told again by the server keeps its buttons", () => {
  const asked = { ...message("r1:tool_1_1:0", "assistant"), kind: "question", choices: ["Tea", "Coffee"] };
  expect(fromServer(EMPTY, view("waiting"), [asked]).history[0]).toMatchObject({
    kind: "question",
    choices: ["Tea", "Coffee"],
  });
});

describe("files", () => {
  const note = (state: string) => ({ name: "a.txt", media_type: "text/plain", bytes: 1, state });
  const drawn = { artifact_id: "art_1", name: "b.png", media_type: "image/png", bytes: 2, user_id: "u", url: "/x" };
  const states = (list: { attachments: { state: string }[] }[]) => list.map((each) => each.attachments[0]?.state);

  test("of a message are told when it comes, and again when they were looked at", () => {
    const came = after({ ...received("m1", 0), attachments: [note("received")] });
    expect(states(came.history)).toEqual(["received"]);
    const read = apply(came, { type: "message.files", message_id: "m1", attachments: [note("read")] }, NOW);
    expect(states(read.history)).toEqual(["read"]);
  });

  test("of a waiting message stay with it until it is taken, also when the server is asked", () => {
    const waiting = after(received("m1", 0), { ...received("m2", 1), attachments: [note("received")] });
    const asked = reconcile(waiting, view("running", ["m2"]));
    expect(states(asked.waiting)).toEqual(["received"]);
    expect(states(apply(asked, started("m2"), NOW).history.slice(-1))).toEqual(["received"]);
  });

  test("of the bot come with what it says, live and from the transcript", () => {
    expect(after(delivery("r1:a:0", { files: [drawn] })).history[0].files).toEqual([drawn]);
    const transcript = [{ ...message("r1:a:0", "assistant"), files: [drawn] }];
    expect(fromServer(EMPTY, view("idle"), transcript).history[0].files).toEqual([drawn]);
  });
});

describe("a call that waits for an approval", () => {
  const shown = (id: string, state = "open") => ({ id, tool: "pay", arguments: "{}", state, decided_by: null });
  const card = (id: string, state = "open"): Event =>
    delivery(`r1:${id}:0`, { kind: "approval", approval: shown(id, state) });
  const decided = (id: string, state = "approved"): Event => ({
    type: "approval.decided",
    approval_id: id,
    state,
    by: "ann",
    at: AT,
  });
  const cards = (state: typeof EMPTY): string =>
    state.history
      .flatMap(({ approval }: { approval?: { id: string; state: string; decided_by: string | null } }) =>
        approval === undefined ? [] : [`${approval.id} ${approval.state} ${approval.decided_by ?? ""}`.trim()],
      )
      .join(", ");

  test.each<{ given: string; events: Event[]; cards: string; phase: string | undefined }>([
    { given: "a card", events: [card("a")], cards: "a open", phase: "waiting" },
    { given: "a decision", events: [card("a"), decided("a")], cards: "a approved ann", phase: "working" },
    {
      given: "a decision twice",
      events: [card("a"), decided("a"), decided("a")],
      cards: "a approved ann",
      phase: "working",
    },
    {
      given: "a decision about one of two",
      events: [card("a"), card("b"), decided("b", "denied")],
      cards: "a open, b denied ann",
      phase: "waiting",
    },
    { given: "the end of the run", events: [card("a"), ended()], cards: "a over", phase: undefined },
    {
      given: "a card of a run that is over",
      events: [started(), ended(), card("a")],
      cards: "a over",
      phase: undefined,
    },
    {
      given: "a card that was decided before it was heard of",
      events: [card("a", "denied")],
      cards: "a denied",
      phase: undefined,
    },
  ])("after $given", ({ events, cards: expected, phase }) => {
    const state = after(...events);
    expect(cards(state)).toBe(expected);
    expect(state.run?.phase).toBe(phase);
  });

  test("is read from the server with what became of it", () => {
    const transcript = [
      message("m1"),
      { ...message("r1:a:0", "assistant"), kind: "approval", approval: shown("a", "denied") },
    ];
    expect(cards(fromServer(after(card("a")), view("running"), transcript))).toBe("a denied");
    expect(
      fromServer(EMPTY, view("waiting"), [transcript[0], { ...transcript[1], approval: shown("a") }]).run?.phase,
    ).toBe("waiting");
  });
});
