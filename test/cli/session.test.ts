import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createBotClient } from "../../src/cli/bot-client.ts";
import { createConversationApi } from "../../src/cli/chat/conversation-api.ts";
import { followEvents } from "../../src/cli/chat/event-stream.ts";
import { createPlainView } from "../../src/cli/chat/plain-view.ts";
import { createSession } from "../../src/cli/chat/session.ts";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import { broken, conversation, delivery, failure, fakeBot, json, messageStatus, transcript } from "./fake-bot.ts";

type FakeBot = Awaited<ReturnType<typeof fakeBot>>;

/** A session with the fake bot whose messages are m1, m2 … and whose output is kept. */
function begin(bot: FakeBot, { patienceMs = 10_000 }: { patienceMs?: number } = {}) {
  const output: string[] = [];
  const errors: string[] = [];
  const sink = (into: string[]) => ({ write: (text: string) => into.push(text) > 0 });
  const client = createBotClient({ url: bot.url, key: undefined, fetch });
  let count = 0;
  const session = createSession({
    api: createConversationApi(client, { user: "u", conversation: "c" }),
    url: bot.url,
    view: createPlainView(sink(output), sink(errors)),
    newId: () => `m${++count}`,
    // Waiting less than a person would.
    pause: (ms, signal) => delay(ms / 20, undefined, { signal }).catch(() => undefined),
    now: () => performance.now(),
    patienceMs,
  });
  const over = new AbortController();
  const running = session.run(over.signal);
  running.catch(() => undefined);
  onTestFinished(() => over.abort());
  return { session, running, over, shown: () => output.join(""), said: () => errors.join("") };
}

test("what is delivered is shown once, though it is repeated after a reconnect", async () => {
  const bot = await fakeBot();
  const { session, shown } = begin(bot);
  void session.send("one");
  (await bot.stream(1)).send(delivery("r1:a:0", "First", { answers: ["m1"] }));
  await session.quiet();
  (await bot.stream(1)).cut();
  const again = await bot.stream(2);
  const [, resumed] = await bot.requests("GET /v1/conversations/c/events", 2);
  expect(resumed?.headers["last-event-id"]).toBe("r1:a:0");
  void session.send("two");
  again.send(delivery("r1:a:0", "First", { answers: ["m1"] }), delivery("r2:a:0", "Second", { answers: ["m2"] }));
  await session.quiet();
  expect(shown()).toBe("First\n\nSecond\n");
});

test("a message whose reply was lost is sent again under its id, and its answer shown once", async () => {
  const bot = await fakeBot();
  bot.answer(
    "POST /v1/messages",
    broken,
    json(202, { id: "m1", conversation_id: "c", status: "duplicate", position: 0 }),
  );
  bot.answer("GET /v1/messages/m1", messageStatus("m1", "answered", [{ delivery: "r1:a:0", text: "Hello" }]));
  const { session, shown } = begin(bot);
  void session.send("hi");
  await session.quiet();
  const [first, second] = await bot.requests("POST /v1/messages", 2);
  expect(JSON.parse(first?.body ?? "")).toEqual({ user_id: "u", conversation_id: "c", message_id: "m1", text: "hi" });
  expect(second?.body).toBe(first?.body);
  (await bot.stream(1)).send(delivery("r1:a:0", "Hello", { answers: ["m1"] }));
  expect(shown()).toBe("Hello\n");
  expect(session.shortfall()).toEqual({ failed: 0, refused: 0, unsure: 0 });
});

test("a first answer that came while nobody followed is found in the transcript", async () => {
  const bot = await fakeBot();
  const { session, shown } = begin(bot);
  await session.send("hi");
  bot.answer(
    "GET /v1/conversations/c/messages",
    transcript({ id: "m1", role: "user", text: "hi" }, { id: "r1:a:0", role: "assistant", text: "Hello" }),
  );
  bot.answer("GET /v1/messages/m1", messageStatus("m1", "answered", [{ delivery: "r1:a:0", text: "Hello" }]));
  (await bot.stream(1)).cut();
  await session.quiet();
  expect(shown()).toBe("Hello\n");
});

test("a message sent while the bot is asked what it is doing is not forgotten", async () => {
  const bot = await fakeBot();
  const { session, shown } = begin(bot);
  await session.send("one");
  const asked = Promise.withResolvers<() => void>();
  bot.answer("GET /v1/messages/m1", messageStatus("m1", "running"));
  bot.answer("GET /v1/conversations/c", (request, response) =>
    asked.resolve(() => conversation("idle")(request, response)),
  );
  (await bot.stream(1)).cut();
  const answer = await asked.promise;
  void session.send("two");
  answer();
  (await bot.stream(2)).send(delivery("r1:a:0", "First", { answers: ["m1"] }));
  await bot.requests("POST /v1/messages", 2);
  (await bot.stream(2)).send(delivery("r2:a:0", "Second", { answers: ["m2"] }));
  await session.quiet();
  expect(shown()).toBe("First\n\nSecond\n");
});

test("what was said before is not shown as an answer, and following goes on from it", async () => {
  const bot = await fakeBot();
  bot.answer(
    "GET /v1/conversations/c/messages",
    transcript({ id: "old", role: "user", text: "hi" }, { id: "r0:a:0", role: "assistant", text: "Old" }),
  );
  const { session, shown } = begin(bot);
  await session.send("again");
  (await bot.stream(1)).cut();
  const [, resumed] = await bot.requests("GET /v1/conversations/c/events", 2);
  expect(resumed?.headers["last-event-id"]).toBe("r0:a:0");
  expect(shown()).toBe("");
});

/** A session that has one answer and whose second message led to a question while nobody followed. */
async function missQuestion(bot: FakeBot) {
  const begun = begin(bot);
  void begun.session.send("one");
  (await bot.stream(1)).send(delivery("r1:a:0", "First", { answers: ["m1"] }));
  await begun.session.quiet();
  await begun.session.send("ask me");
  bot.answer("GET /v1/messages/m2", messageStatus("m2", "running"));
  (await bot.stream(1)).cut();
  const stream = await bot.stream(2);
  // The repetition names the message that led to it.
  const question = delivery("r2:ask:0", "Which one?", { answers: ["m2"], kind: "question", choices: ["tea", "milk"] });
  return { ...begun, stream, question };
}

test("a question that is repeated after a reconnect is open, and not taken for the answer", async () => {
  const bot = await fakeBot();
  bot.answer("GET /v1/conversations/c", conversation("waiting", "r2"));
  const { session, stream, question, shown } = await missQuestion(bot);
  stream.send(question);
  await session.quiet();
  expect(session.state()).toMatchObject({
    pending: [{ id: "m2", state: "asked" }],
    question: { choices: ["tea", "milk"] },
  });
  void session.send("tea");
  stream.send(delivery("r2:a:0", "Tea it is", { answers: ["m2", "m3"] }));
  await session.quiet();
  expect(shown()).toBe("First\n\nWhich one?\n  1. tea\n  2. milk\n\nTea it is\n");
});

test("a question that was answered before it is repeated is not open", async () => {
  const bot = await fakeBot();
  const { session, stream, question, shown } = await missQuestion(bot);
  stream.send(question, delivery("r2:a:0", "Tea it is", { answers: ["m2", "elsewhere"] }));
  await session.quiet();
  expect(session.state()).toMatchObject({ pending: [], question: undefined });
  expect(shown()).toContain("Tea it is");
});

test("a question from before is open when one comes back", async () => {
  const bot = await fakeBot();
  bot.answer("GET /v1/conversations/c", conversation("waiting", "r1"));
  bot.answer(
    "GET /v1/conversations/c/messages",
    transcript(
      { id: "old", role: "user", text: "ask me" },
      { id: "r1:ask:0", role: "assistant", text: "Which one?", kind: "question", choices: ["tea", "milk"] },
    ),
  );
  const { session } = begin(bot);
  void session.send("/status");
  await bot.requests("POST /v1/messages");
  expect(session.state().question).toEqual({ choices: ["tea", "milk"] });
});

test("a command whose answer went by is said to have been missed, and keeps nobody waiting", async () => {
  const bot = await fakeBot();
  const { session, said } = begin(bot);
  await session.send("/help");
  (await bot.stream(1)).cut();
  await session.quiet();
  expect(said()).toBe('parley: The answer to "/help" may have been missed; send it again if you need it.\n');
  expect(session.shortfall().unsure).toBe(1);
});

test("the answer to a command counts on a stream that was resumed", async () => {
  const bot = await fakeBot();
  const { session, shown } = begin(bot);
  void session.send("one");
  (await bot.stream(1)).send(delivery("r1:a:0", "First", { answers: ["m1"] }));
  await session.quiet();
  (await bot.stream(1)).cut();
  await bot.stream(2);
  void session.send("/help");
  await bot.requests("POST /v1/messages", 2);
  (await bot.stream(2)).send(delivery("r2:command:0", "Help", { answers: ["m2"], kind: "notice" }));
  await session.quiet();
  expect(shown()).toBe("First\n\nHelp\n");
});

test.each([
  ["the bot is stopping", failure(503, "unavailable", "Try again")],
  ["the conversation is full", failure(429, "conversation_full", "Too many wait")],
  ["something in between answers", json(502, {})],
])("a message is tried again when %s", async (_, trouble) => {
  const bot = await fakeBot();
  bot.answer(
    "POST /v1/messages",
    trouble,
    trouble,
    json(202, { id: "m1", conversation_id: "c", status: "started", position: 0 }),
  );
  const { session, said } = begin(bot);
  await session.send("hi");
  const tries = await bot.requests("POST /v1/messages", 3);
  expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
  expect(session.state().pending).toMatchObject([{ id: "m1", state: "taken" }]);
  expect(said()).toBe("");
});

test("a message the bot refuses is reported, and the next one is sent", async () => {
  const bot = await fakeBot();
  bot.answer(
    "POST /v1/messages",
    failure(400, "invalid_request", "text: must have at most 32000 characters"),
    json(202, { id: "m2", conversation_id: "c", status: "queued", position: 2 }),
  );
  const { session, said } = begin(bot);
  await session.send("too long");
  await session.send("short");
  expect(said()).toBe("parley: Not sent: text: must have at most 32000 characters\n");
  expect(session.shortfall().refused).toBe(1);
  expect(session.state().pending).toMatchObject([{ id: "m2", state: "queued", ahead: 2 }]);
});

test("messages are sent in order, each after the one before was taken", async () => {
  const bot = await fakeBot();
  bot.answer("POST /v1/messages", broken, broken, (request, response) => {
    const { message_id: id } = JSON.parse(request.body) as Record<string, string>;
    json(202, { id, conversation_id: "c", status: "queued", position: 0 })(request, response);
  });
  const { session } = begin(bot);
  await Promise.all([session.send("one"), session.send("two"), session.send("three")]);
  const sent = await bot.requests("POST /v1/messages", 5);
  expect(sent.map(({ body }) => (JSON.parse(body) as { text: string }).text)).toEqual([
    "one",
    "one",
    "one",
    "two",
    "three",
  ]);
});

test("what nobody here knows is left out", async () => {
  const bot = await fakeBot();
  const { session, shown } = begin(bot);
  void session.send("hi");
  const stream = await bot.stream(1);
  stream.sendRaw('event: run.sang\ndata: {"type":"run.sang"}\n\ndata: {not json\n\ndata: {"type":"delivery"}\n\n');
  stream.send(delivery("r9:a:0", "to somebody else", { answers: ["other"] }));
  stream.send(delivery("r1:a:0", "to us", { answers: ["m1"] }));
  await session.quiet();
  expect(shown()).toBe("to us\n");
});

test("a failed run counts as failed, and its error is shown", async () => {
  const bot = await fakeBot();
  const { session, shown } = begin(bot);
  void session.send("hi");
  (await bot.stream(1)).send(delivery("r1:failed:0", "It failed. (error r1)", { answers: ["m1"], kind: "error" }));
  await session.quiet();
  expect(shown()).toBe("It failed. (error r1)\n");
  expect(session.shortfall().failed).toBe(1);
});

test("a bot that asks for a key ends the session, and says what to do", async () => {
  const bot = await fakeBot();
  bot.answer("GET /v1/conversations/c/events", failure(401, "unauthorized", "The API key is not known here"));
  const { session, running } = begin(bot);
  const sent = session.send("hi");
  await expect(running).rejects.toThrow("The API key is not known here. Set PARLEY_API_KEY to a key of this bot");
  await sent;
  await session.quiet();
});

test("a bot that is out of reach for too long ends the session", async () => {
  const { running } = begin({ ...(await fakeBot()), url: "http://127.0.0.1:9" }, { patienceMs: 0 });
  await expect(running).rejects.toMatchObject({ name: "OutsideError", retry: { kind: "after" } });
});

test("a stream on which nothing comes any more is given up", async () => {
  const bot = await fakeBot();
  const client = createBotClient({ url: bot.url, key: undefined, fetch });
  const follow = async () => {
    const { signal } = new AbortController();
    const events = followEvents(client, { conversation: "c", lastEventId: undefined, signal, silenceMs: 50 });
    const seen: string[] = [];
    for await (const { type } of events) seen.push(type);
    return seen;
  };
  await expect(follow()).rejects.toMatchObject({ code: "timeout", retry: { kind: "after" } });
});

test("all pages of a transcript are read, from the start again when it changed in between", async () => {
  const bot = await fakeBot();
  const page = (id: string, next: string | null) =>
    json(200, {
      data: [{ id, role: "assistant", text: id, at: "2026-01-01T00:00:00.000Z", run_id: "r" }],
      has_more: next !== null,
      next_cursor: next,
    });
  bot.answer(
    "GET /v1/conversations/c/messages",
    page("a", "after a"),
    failure(400, "invalid_request", "cursor: is gone"),
    page("b", "after b"),
    page("c", null),
  );
  const api = createConversationApi(createBotClient({ url: bot.url, key: undefined, fetch }), {
    user: "u",
    conversation: "c",
  });
  const messages = await api.transcript(new AbortController().signal);
  expect(messages.map(({ id }) => id)).toEqual(["b", "c"]);
});

test("files of the bot are shown with an address that can be followed", async () => {
  const bot = await fakeBot();
  const { session, shown } = begin(bot);
  void session.send("one");
  const said = delivery("r1:a:0", "Here", { answers: ["m1"] });
  if (said.type !== "delivery") throw new Error("expected a delivery");
  const file = {
    artifact_id: "art_1",
    name: "a.md",
    media_type: "text/markdown",
    bytes: 3,
    user_id: parseWorkspaceId("u"),
    url: "/v1/artifacts/art_1/content?token=t",
  };
  (await bot.stream(1)).send({ ...said, delivery: { ...said.delivery, files: [file] } });
  await session.quiet();
  expect(shown()).toBe(`Here\n[file] a.md (3 bytes) ${bot.url}/v1/artifacts/art_1/content?token=t\n`);
});

test("a file goes with the message it is given to", async () => {
  const bot = await fakeBot();
  const { session } = begin(bot);
  void session.send("one", [{ name: "a.txt", content_base64: "aGk=" }]);
  const [sent] = await bot.requests("POST /v1/messages", 1);
  expect(JSON.parse(sent?.body ?? "")).toMatchObject({
    text: "one",
    attachments: [{ name: "a.txt", content_base64: "aGk=" }],
  });
});
