import { GatewayDispatchEvents as Dispatch, MessageType } from "discord.js";
import { expect, test } from "vitest";
import type { DiscordOptions } from "../../../src/platforms/discord/options.ts";
import { createMemoryNotes, createRecordingGateway, startListening, testParts, useWorld } from "./lab.ts";

const world = useWorld();

function start(options: Partial<DiscordOptions> = {}, gateway = createRecordingGateway(), parts = testParts()) {
  return startListening(world(), { options, gateway, parts });
}

test("a direct message is kept as it was written", async () => {
  const { gateway } = await start();
  const chat = world().direct("Ana");
  const id = await world().say(chat, "Ana", { text: "hello" });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages).toEqual([
    {
      id,
      conversationId: chat.conversation(id),
      chat: chat.conversation(id),
      direct: true,
      author: world().person("Ana"),
      text: "hello",
      files: [],
      addressed: true,
      thread: false,
      at: expect.any(Number),
    },
  ]);
});

test("a mention in a channel is for the bot, other words are not", async () => {
  const { gateway } = await start();
  const chat = world().group("general");
  await world().say(chat, "Ana", { text: "nobody in particular" });
  await world().say(chat, "Ben", { text: "help me", mention: true });
  await gateway.until(() => gateway.messages.length === 2);
  expect(gateway.messages.map(({ text, addressed, direct, thread }) => ({ text, addressed, direct, thread }))).toEqual([
    { text: "nobody in particular", addressed: false, direct: false, thread: false },
    { text: "help me", addressed: true, direct: false, thread: false },
  ]);
});

test("a reply to the bot is for the bot", async () => {
  const { adapter, gateway } = await start();
  const chat = world().group("general");
  const { postedId } = await adapter.send(
    {
      id: "r1:finish:0" as never,
      conversationId: chat.conversation(""),
      kind: "answer",
      text: "yes?",
      buttons: [],
      answers: [],
    },
    { repeatSince: undefined, draft: undefined, signal: AbortSignal.timeout(10_000) },
  );
  world().sayRaw(chat, "Ana", { content: "go on", replyTo: postedId });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages[0]).toMatchObject({ text: "go on", addressed: true });
});

test("what follows in a thread is marked as such, within the chat of its channel", async () => {
  const { gateway } = await start();
  const chat = world().group("general");
  const id = await world().say(chat, "Ana", { text: "let us talk", mention: true });
  const thread = world().threadOf(chat, id);
  await world().say(thread, "Ben", { text: "me too" });
  await gateway.until(() => gateway.messages.length === 2);
  expect(gateway.messages.find(({ text }) => text === "me too")).toMatchObject({
    conversationId: `discord:${id}`,
    chat: chat.conversation(id),
    thread: true,
    addressed: false,
  });
});

test("other bots are marked, the bot's own messages and notices of Discord are left out", async () => {
  const { gateway } = await start();
  const chat = world().group("general");
  world().bot("helper");
  world().sayRaw(chat, "Ana", { content: "", type: MessageType.UserJoin });
  await world().say(chat, "helper", { text: "beep", mention: true });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages.map(({ author }) => author)).toEqual([world().bot("helper")]);
});

test("an edit and a deletion reach the conversation of the message", async () => {
  const { gateway } = await start();
  const chat = world().direct("Ana");
  const id = await world().say(chat, "Ana", { text: "five o'clok" });
  await world().edit(chat, id, "five o'clock");
  await world().delete(chat, id);
  await gateway.until(() => gateway.deletions.length === 1);
  expect(gateway.edits).toEqual([{ conversationId: chat.conversation(id), id, text: "five o'clock" }]);
  expect(gateway.deletions).toEqual([{ conversationId: chat.conversation(id), id }]);
});

test("the preview of a link that Discord adds is no edit", async () => {
  const { gateway } = await start();
  const chat = world().direct("Ana");
  const id = await world().say(chat, "Ana", { text: "see https://example.com" });
  world().unfurl(chat, id);
  const other = await world().say(chat, "Ana", { text: "and now" });
  await gateway.until(() => gateway.messages.some((message) => message.id === other));
  expect(gateway.edits).toEqual([]);
});

test("the same event five times more is one message", async () => {
  const { gateway } = await start();
  const id = await world().say(world().direct("Ana"), "Ana", { text: "once" });
  await world().redeliver(id, 5);
  await gateway.until(() => gateway.calls.length === 6);
  expect(gateway.calls.map(({ taken }) => taken)).toEqual(["kept", "known", "known", "known", "known", "known"]);
  expect(gateway.messages).toHaveLength(1);
});

test("an old event that comes again after newer ones takes nothing back", async () => {
  const notes = createMemoryNotes();
  const { gateway } = await start({}, createRecordingGateway(), testParts({ notes }));
  const chat = world().direct("Ana");
  const first = await world().say(chat, "Ana", { text: "first" });
  const second = await world().say(chat, "Ana", { text: "second" });
  await world().redeliver(first, 1);
  await gateway.until(() => gateway.calls.length === 3);
  await expect.poll(async () => (await notes.reached())[0]?.cursor).toBe(second);
  expect(gateway.messages.map(({ text }) => text)).toEqual(["first", "second"]);
});

test("while messages cannot be kept none is dropped, their order stays, and the operator is told", async () => {
  const { gateway, listening } = await start();
  const chat = world().direct("Ana");
  gateway.failing = 3;
  for (const text of ["one", "two", "three"]) await world().say(chat, "Ana", { text });
  await gateway.until(() => gateway.messages.length === 3);
  expect(gateway.messages.map(({ text }) => text)).toEqual(["one", "two", "three"]);
  await listening.untilReport(({ trouble }) => trouble === undefined);
  expect(listening.reports).toContainEqual({
    connected: true,
    trouble: "What people write cannot be kept yet: Redis is away",
  });
  expect(listening.reports.at(-1)).toEqual({ connected: true });
});

test("one person's trouble does not hold up another chat", async () => {
  const { gateway } = await start();
  const keep = gateway.message.bind(gateway);
  gateway.message = (given) =>
    given.author.name === "Ana" ? Promise.reject(new Error("this one cannot be kept")) : keep(given);
  await world().say(world().direct("Ana"), "Ana", { text: "stuck" });
  await world().say(world().direct("Ben"), "Ben", { text: "through" });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages[0]?.text).toBe("through");
});

test("every event counts as a sign of life", async () => {
  const { gateway, listening } = await start();
  await world().say(world().direct("Ana"), "Ana", { text: "hello" });
  await gateway.until(() => gateway.messages.length === 1);
  expect(listening.heard).toBe(1);
});

test("an event in a form that nobody knows is noted, and the next one is read", async () => {
  // Those that come before the servers are shown the library keeps for later.
  world().server.gateway.early.push({ event: Dispatch.InteractionCreate, data: { type: 2, data: { type: 1 } } });
  const { gateway } = await start();
  world().server.gateway.dispatch(Dispatch.MessageCreate, { id: 5, strange: true });
  world().server.gateway.dispatch(Dispatch.InteractionCreate, { type: 2 });
  await world().say(world().direct("Ana"), "Ana", { text: "hello" });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages[0]?.text).toBe("hello");
});

test.each([
  ["busy", true, true],
  ["busy", false, false],
  ["always", false, true],
  ["never", true, false],
] as const)("threads: %s, busy: %s, a thread of its own: %s", async (threads, busy, apart) => {
  const { gateway } = await start({ threads });
  const chat = world().group("general");
  if (busy) gateway.busyIn.add(chat.conversation(""));
  const id = await world().say(chat, "Ana", { text: "something else", mention: true });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages[0]?.conversationId).toBe(apart ? `discord:${id}` : chat.conversation(id));
});

test("a message that was put into a thread stays there: when it comes again, is edited or deleted", async () => {
  const { gateway } = await start();
  const chat = world().group("general");
  gateway.busyIn.add(chat.conversation(""));
  const id = await world().say(chat, "Ana", { text: "something else", mention: true });
  await gateway.until(() => gateway.messages.length === 1);
  gateway.busyIn.clear();
  await world().redeliver(id, 1);
  await world().edit(chat, id, "another thing");
  await world().delete(chat, id);
  await gateway.until(() => gateway.deletions.length === 1);
  expect(gateway.calls.map(({ taken }) => taken)).toEqual(["kept", "known"]);
  expect(gateway.edits.map(({ conversationId }) => conversationId)).toEqual([`discord:${id}`]);
  expect(gateway.deletions.map(({ conversationId }) => conversationId)).toEqual([`discord:${id}`]);
});

test("a command that is written stays in the channel it is about", async () => {
  const { gateway } = await start({ threads: "always" });
  const chat = world().group("general");
  const id = await world().say(chat, "Ana", { text: "/stop", mention: true });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages[0]).toMatchObject({ text: "/stop", conversationId: chat.conversation(id) });
});
