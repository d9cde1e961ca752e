import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import type { ShownLiveEvent } from "../../src/api/contract.ts";
import { chat } from "../../src/cli/chat/chat.ts";
import { conversation, delivery, failure, fakeBot, json, messageStatus, transcript } from "./fake-bot.ts";
import { miniTerminal } from "./mini-terminal.ts";

type FakeBot = Awaited<ReturnType<typeof fakeBot>>;

/** A chat in a terminal of its own; messages are answered through `answerWith`, which knows their ids. */
async function begin(bot: FakeBot, columns?: number) {
  const terminal = miniTerminal(columns);
  const ending = new AbortController();
  const code = chat(
    { user: "ann", conversation: "c", url: bot.url },
    {
      env: { PARLEY_CONFIG: "no-such-folder", TERM: "xterm" },
      input: terminal.input,
      output: terminal.output,
      errors: terminal.output,
      fetch,
      untilSignal: () => ending.signal,
    },
  );
  code.catch(() => undefined);
  onTestFinished(() => ending.abort());
  const stream = await bot.stream(1);
  await terminal.until("\n>");
  /** The id of the message that was sent as the `count`th. */
  const sentId = async (count: number) => {
    const sent = await bot.requests("POST /v1/messages", count);
    return (JSON.parse(sent[count - 1]?.body ?? "{}") as { message_id: string }).message_id;
  };
  return { terminal, code, ending, stream, sentId, lines: () => terminal.screen().split("\n") };
}

const started = (id: string, run = "r1"): ShownLiveEvent => ({ type: "run.started", run_id: run, message_ids: [id] });
const progress = (label: string): ShownLiveEvent => ({ type: "run.progress", run_id: "r1", step: "ai_call_1", label });
const piece = (text: string, reset?: true): ShownLiveEvent => ({
  type: "text.delta",
  run_id: "r1",
  step: "ai_call_1",
  text,
  ...(reset === undefined ? {} : { reset }),
});

test("an answer is written while it is made, above what is being typed, and stands there once", async () => {
  const { terminal, stream, sentId, lines } = await begin(await fakeBot(), 40);
  terminal.type("tell me a story\r");
  const id = await sentId(1);
  stream.send(started(id), progress("Thinking"));
  await terminal.until("Thinking …");
  terminal.type("and th");
  stream.send(piece("Once upon a time there was ", true), piece("a bot that lost nothing,"));
  const during = await terminal.until("nothing,");
  expect(during.split("\n").slice(-5)).toEqual([
    "> tell me a story",
    "Once upon a time there was a bot that",
    "lost nothing,",
    "Thinking …",
    "> and th",
  ]);
  const whole = "Once upon a time there was a bot that lost nothing, and said it once.";
  stream.send(piece(" and said it once."), delivery("r1:ai_call_1:0", whole, { answers: [id] }));
  stream.send({ type: "run.ended", run_id: "r1", end: "done" });
  await terminal.until("said it once.\n\n> and th");
  terminal.type("en");
  await terminal.until("> and then");
  expect(lines().slice(-5)).toEqual([
    "> tell me a story",
    "Once upon a time there was a bot that",
    "lost nothing, and said it once.",
    "",
    "> and then",
  ]);
});

test("a line that is sent during an answer leaves no trace of what was replaced", async () => {
  const { terminal, stream, sentId, lines } = await begin(await fakeBot(), 40);
  terminal.type("one\r");
  const id = await sentId(1);
  stream.send(started(id), progress("Thinking"), piece("First", true));
  await terminal.until("First");
  const long = "a line that is longer than the terminal is wide";
  terminal.type(`${long}\r`);
  await sentId(2);
  stream.send(piece(" of all"), delivery("r1:ai_call_1:0", "First of all", { answers: [id] }));
  await terminal.until("First of all\n\nThinking");
  expect(lines().slice(3)).toEqual([
    "> one",
    `> ${long.slice(0, 38)}`,
    long.slice(38),
    "First of all",
    "",
    "Thinking …",
    ">",
  ]);
});

test("a new attempt begins the text anew, and the answer follows it", async () => {
  const { terminal, stream, sentId, lines } = await begin(await fakeBot());
  terminal.type("hi\r");
  const id = await sentId(1);
  stream.send(started(id), piece("Half an ans", true), piece("The whole", true));
  stream.send(delivery("r1:ai_call_1:0", "The whole answer", { answers: [id] }));
  stream.send({ type: "run.ended", run_id: "r1", end: "done" });
  await terminal.until("The whole answer\n\n>");
  expect(lines().slice(2)).toEqual(["> hi", "Half an ans", "", "The whole answer", "", ">"]);
});

test("what a model writes cannot control the terminal", async () => {
  const { terminal, stream, sentId } = await begin(await fakeBot());
  terminal.type("hi\r");
  const id = await sentId(1);
  const evil = "\u001B]0;owned\u0007\u001B[2J\u009B1mgone\rover\b";
  stream.send(started(id), progress(evil), piece(evil, true), delivery("r1:ai_call_1:0", evil, { answers: [id] }));
  stream.send({ type: "message.received", message_id: "x", text: `${evil} elsewhere`, position: 0 });
  // The terminal throws on any sequence but the few it knows.
  expect(await terminal.until("(elsewhere) > ␛]0;owned␇")).toContain("\n␛]0;owned␇␛[2J\u{FFFD}1mgoneover␈\n");
});

test("the number of a choice sends the choice", async () => {
  const bot = await fakeBot();
  const { terminal, stream, sentId } = await begin(bot);
  terminal.type("ask me\r");
  const id = await sentId(1);
  stream.send(started(id), delivery("r1:tool_1_1:0", "Which one?", { kind: "question", choices: ["tea", "coffee"] }));
  expect(await terminal.until("Type a number")).toContain("Which one?\n  1. tea\n  2. coffee\n");
  terminal.type("2\r");
  const sent = await bot.requests("POST /v1/messages", 2);
  expect(JSON.parse(sent[1]?.body ?? "")).toMatchObject({ text: "coffee" });
  expect(await terminal.until("→ coffee")).toContain("> 2\n→ coffee");
});

test("the place in the queue is shown until it is the message's turn", async () => {
  const bot = await fakeBot();
  bot.answer("POST /v1/messages", (request, response) => {
    const { message_id: id } = JSON.parse(request.body) as Record<string, string>;
    json(202, { id, conversation_id: "c", status: "queued", position: 2 })(request, response);
  });
  const { terminal, stream, sentId } = await begin(bot);
  terminal.type("hi\r");
  await terminal.until("1 queued, 2 ahead");
  stream.send(started(await sentId(1)), progress("Thinking"));
  await terminal.until("Thinking …");
  expect(terminal.screen()).not.toContain("queued");
});

test("Ctrl+C stops what is going, and pressed again it leaves", async () => {
  const bot = await fakeBot();
  const { terminal, stream, sentId, code } = await begin(bot);
  terminal.type("work\r");
  const id = await sentId(1);
  stream.send(started(id), progress("Using calculate"));
  await terminal.until("Using calculate");
  terminal.type("\u0003");
  const [, stop] = await bot.requests("POST /v1/messages", 2);
  expect(JSON.parse(stop?.body ?? "")).toMatchObject({ text: "/stop" });
  terminal.type("\u0003");
  expect(await code).toBe(0);
  expect(terminal.screen()).toContain("What is not answered yet goes on");
});

test("when nothing is going Ctrl+C says how to leave", async () => {
  const { terminal, code } = await begin(await fakeBot());
  terminal.type("\u0003");
  await terminal.until("Ctrl+C once more, or /quit, leaves.");
  terminal.type("\u0003");
  expect(await code).toBe(0);
});

test.each([
  ["/quit", "/quit\r"],
  ["Ctrl+D", "\u0004"],
])("%s leaves", async (_, keys) => {
  const { terminal, code } = await begin(await fakeBot());
  terminal.type(keys);
  expect(await code).toBe(0);
  expect(terminal.screen().endsWith(">")).toBe(false);
});

test("a signal ends it with the code that stands for the signal", async () => {
  const { terminal, code, ending } = await begin(await fakeBot());
  await terminal.until("leaves.");
  ending.abort("SIGTERM");
  expect(await code).toBe(143);
});

test("a signal that came before the first line ends a chat between pipes", async () => {
  const bot = await fakeBot();
  const [input, output] = [new PassThrough(), new PassThrough()];
  const untilSignal = () => AbortSignal.abort("SIGTERM");
  const code = await chat(
    { user: "ann", url: bot.url },
    { env: { PARLEY_CONFIG: "no-such-folder" }, input, output, errors: output, fetch, untilSignal },
  );
  expect(code).toBe(143);
});

test("while the bot is away the text being written is given up, and it comes whole when the bot is back", async () => {
  const bot = await fakeBot();
  const { terminal, stream, sentId, lines } = await begin(bot);
  terminal.type("hi\r");
  const id = await sentId(1);
  stream.send(started(id), piece("The first ha", true));
  await terminal.until("The first ha");
  bot.answer("GET /v1/conversations/c/events", failure(503, "unavailable", "Stopping"), (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
  });
  bot.answer(
    "GET /v1/conversations/c/messages",
    transcript(
      { id, role: "user", text: "hi" },
      { id: "r1:ai_call_1:0", role: "assistant", text: "The first half and all" },
    ),
  );
  bot.answer(`GET /v1/messages/${id}`, messageStatus(id, "answered"));
  bot.answer("GET /v1/conversations/c", conversation("idle"));
  stream.cut();
  await terminal.until("The bot does not answer; trying again …");
  await terminal.until("The first half and all\n\n>");
  terminal.type("x");
  await terminal.until("> x");
  expect(lines().slice(2)).toEqual(["> hi", "The first ha", "", "The first half and all", "", "> x"]);
});

test("what was said before is shown, the last of it", async () => {
  const bot = await fakeBot();
  const said = [1, 2, 3, 4].flatMap((n) => [
    { id: `q${n}`, role: "user" as const, text: `question ${n}`, run: `r${n}` },
    { id: `r${n}:a:0`, role: "assistant" as const, text: `answer ${n}`, run: `r${n}` },
  ]);
  bot.answer("GET /v1/conversations/c/messages", transcript(...said));
  const { terminal } = await begin(bot);
  const shown = await terminal.until("answer 4");
  expect(shown).toContain("(2 earlier messages)\n> question 2\nanswer 2\n\n> question 3");
  expect(shown).not.toContain("answer 1");
});

test("a key that may not see the conversation is told what it may see", async () => {
  const bot = await fakeBot();
  bot.answer("GET /v1/conversations/c/events", failure(404, "not_found", 'There is no conversation "c"'));
  const terminal = miniTerminal();
  const code = chat(
    { user: "ann", conversation: "c", url: bot.url },
    {
      env: { PARLEY_CONFIG: "no-such-folder", TERM: "xterm" },
      input: terminal.input,
      output: terminal.output,
      errors: terminal.output,
      fetch,
      untilSignal: () => new AbortController().signal,
    },
  );
  await expect(code).rejects.toThrow("use --user NAME --conversation api:NAME");
});
