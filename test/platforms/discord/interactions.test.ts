import { MessageFlags } from "discord.js";
import { expect, test } from "vitest";
import type { DeliveryId, MessageId } from "../../../src/kernel/ids.ts";
import type { Part } from "../../../src/platforms/contract.ts";
import { createMemoryNotes, startListening, testParts, useWorld } from "./lab.ts";
import type { Chat } from "../world.ts";

const world = useWorld();
const context = () => ({ repeatSince: undefined, draft: undefined, signal: AbortSignal.timeout(15_000) });

let count = 0;
function answer(chat: Chat, text: string, ...answers: readonly string[]): Part {
  return {
    id: `c${++count}:finish:0` as DeliveryId,
    conversationId: chat.conversation(""),
    kind: "answer",
    text,
    buttons: [],
    answers: answers as readonly MessageId[],
  };
}

function replies() {
  return world().server.calls.filter(({ path }) => path.endsWith("/messages/@original"));
}

test("the commands are registered once, and again only when they change", async () => {
  const notes = createMemoryNotes();
  const first = await startListening(world(), { parts: testParts({ notes }) });
  await world().when(() => world().server.state.commands.length > 0);
  await expect.poll(() => [...notes.all.keys()].some((key) => key.startsWith("commands:"))).toBe(true);
  await first.listening.stop();
  const registrations = () => world().server.calls.filter(({ method }) => method === "PUT").length;
  const second = await startListening(world(), { parts: testParts({ notes }) });
  await world().say(world().direct("Ana"), "Ana", { text: "hello" });
  await second.gateway.until(() => second.gateway.messages.length === 1);
  expect(registrations()).toBe(1);
});

test("commands that cannot be registered keep nobody from talking", async () => {
  world().server.failing = /commands$/;
  const { gateway } = await startListening(world());
  await world().say(world().direct("Ana"), "Ana", { text: "hello" });
  await gateway.until(() => gateway.messages.length === 1);
});

test("a command is a message for the bot, and its answer takes the place of the promised reply", async () => {
  const { adapter, gateway } = await startListening(world());
  const chat = world().group("general");
  const id = await world().command(chat, "Ana", "/schedule add weekdays at 9am | sum up my mail");
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages[0]).toMatchObject({
    id,
    text: "/schedule add weekdays at 9am | sum up my mail",
    addressed: true,
    conversationId: chat.conversation(id),
    author: world().person("Ana"),
  });
  const part = answer(chat, "Every weekday at 9.", id);
  const { postedId } = await adapter.send(part, context());
  // A repeat changes the same message once more.
  expect(await adapter.send(part, context())).toEqual({ postedId });
  expect(
    world()
      .shown(chat)
      .map((shown) => [shown.id, shown.text]),
  ).toEqual([[postedId, "Every weekday at 9."]]);
});

test("a second message about a command is a message of its own", async () => {
  const { adapter, gateway } = await startListening(world());
  const chat = world().direct("Ana");
  const id = await world().command(chat, "Ana", "/status");
  await gateway.until(() => gateway.messages.length === 1);
  await adapter.send(answer(chat, "one", id), context());
  await adapter.send(answer(chat, "two", id), context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["one", "two"]);
});

test("one answer for several commands closes the reply of each", async () => {
  const { adapter, gateway } = await startListening(world());
  const chat = world().direct("Ana");
  const ids = [await world().command(chat, "Ana", "/status"), await world().command(chat, "Ana", "/tools")];
  await gateway.until(() => gateway.messages.length === 2);
  await adapter.send(answer(chat, "both", ...ids), context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["both", "Answered together with the command before."]);
});

test("when it is too late to answer a command in place the answer is a message", async () => {
  const { adapter, gateway } = await startListening(world());
  const chat = world().direct("Ana");
  const id = await world().command(chat, "Ana", "/status");
  await gateway.until(() => gateway.messages.length === 1);
  for (const interaction of world().server.state.interactions.values()) interaction.expired = true;
  await adapter.send(answer(chat, "late", id), context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["late"]);
  expect(replies().map(({ status }) => status)).toEqual([401]);
});

test("an error of Discord while a command is answered is tried again, not said twice", async () => {
  const { adapter, gateway } = await startListening(world());
  const chat = world().direct("Ana");
  const id = await world().command(chat, "Ana", "/status");
  await gateway.until(() => gateway.messages.length === 1);
  const part = answer(chat, "fine", id);
  world().fault({ kind: "failing", status: 500 }, { kind: "reply-lost" });
  await expect(adapter.send(part, context())).rejects.toMatchObject({ code: "unavailable" });
  await expect(adapter.send(part, context())).rejects.toMatchObject({ code: "unavailable" });
  await adapter.send(part, context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["fine"]);
});

test.each([
  ["ignored", "I do not take commands here."],
  ["told", "I did not take this command; my message here says why."],
] as const)("the promised reply of a command that is %s is closed with a sentence", async (taken, sentence) => {
  const { gateway } = await startListening(world());
  gateway.decide = () => taken;
  const chat = world().direct("Eve");
  await world().command(chat, "Eve", "/status");
  expect((await world().until(chat, (shown) => shown.length === 1)).map(({ text }) => text)).toEqual([sentence]);
});

test("what a command tells about a person only they see, in company", async () => {
  const { gateway } = await startListening(world());
  const chat = world().group("general");
  await world().command(chat, "Ana", "/memory");
  await world().command(chat, "Ana", "/status");
  await gateway.until(() => gateway.messages.length === 2);
  const flags = world()
    .channel(chat)
    .messages.map((message) => message.flags & MessageFlags.Ephemeral);
  expect(flags).toEqual([MessageFlags.Ephemeral, 0]);
});

test("a command that comes again is one message, and its reply is not promised twice", async () => {
  const { gateway } = await startListening(world());
  const id = await world().command(world().direct("Ana"), "Ana", "/status");
  await world().redeliver(id, 5);
  await gateway.until(() => gateway.calls.length === 6);
  expect(gateway.messages).toHaveLength(1);
  expect(world().channel(world().direct("Ana")).messages).toHaveLength(1);
});

test("a command to which Discord did not hear a sign of life in time is kept, and answered by a message", async () => {
  const { adapter, gateway } = await startListening(world());
  world().server.failing = /callback$/;
  const chat = world().direct("Ana");
  const id = await world().command(chat, "Ana", "/status");
  await gateway.until(() => gateway.messages.length === 1);
  world().server.failing = undefined;
  await adapter.send(answer(chat, "all well", id), context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["all well"]);
});

test("while a command cannot be kept its reply stays promised, and it is kept in the end", async () => {
  const { gateway } = await startListening(world());
  gateway.failing = 2;
  await world().command(world().direct("Ana"), "Ana", "/status");
  await gateway.until(() => gateway.messages.length === 1);
  const [interaction] = world().server.state.interactions.values();
  expect(interaction?.deferredAfterMs).toBeDefined();
});

test("a press is told, the buttons go, and the outcome takes their place", async () => {
  const { adapter, gateway } = await startListening(world());
  gateway.onPress = () => ({ notice: "Approved.", outcome: "Approved by Ana: web_fetch" });
  const chat = world().direct("Ana");
  const buttons = [
    { label: "Approve", token: "yes-token", style: "yes" },
    { label: "Deny", token: "no-token", style: "no" },
  ] as const;
  await adapter.send({ ...answer(chat, "May I?"), kind: "approval", buttons }, context());
  const [question] = world().shown(chat);
  expect(await world().press(chat, "Ana", question ?? fail(), "Approve")).toBe("Approved.");
  expect(gateway.presses).toEqual([
    {
      token: "yes-token",
      by: world().person("Ana"),
      id: expect.stringMatching(/^\d+$/),
      at: expect.any(Number),
      conversationId: chat.conversation(""),
      chat: chat.conversation(""),
      direct: true,
    },
  ]);
  const [after] = await world().until(chat, ([shown]) => shown?.buttons.length === 0);
  expect(after?.text).toBe("May I?\n\nApproved by Ana: web\\_fetch");
});

test("a press that changes nothing leaves the buttons", async () => {
  const { adapter, gateway } = await startListening(world());
  gateway.onPress = () => ({ notice: "Only Ana may decide this." });
  const chat = world().group("general");
  const buttons = [{ label: "Approve", token: "t", style: "yes" }] as const;
  await adapter.send({ ...answer(chat, "May I?"), kind: "approval", buttons }, context());
  const [question] = world().shown(chat);
  expect(await world().press(chat, "Eve", question ?? fail(), "Approve")).toBe("Only Ana may decide this.");
  expect(world().shown(chat)[0]?.buttons).toHaveLength(1);
});

test("a press is kept in the end when it could not be kept at first", async () => {
  const { adapter, gateway } = await startListening(world());
  const chat = world().direct("Ana");
  await adapter.send({ ...answer(chat, "?"), buttons: [{ label: "Yes", token: "t", style: "yes" }] }, context());
  const [question] = world().shown(chat);
  gateway.failing = 2;
  expect(await world().press(chat, "Ana", question ?? fail(), "Yes")).toBe("Noted.");
  expect(gateway.presses).toHaveLength(1);
});

function fail(): never {
  throw new Error("There is no message");
}
