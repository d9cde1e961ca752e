import { expect, test } from "vitest";
import { mayHaveHappened, type OutsideError } from "../../../src/kernel/errors.ts";
import type { ConversationId, DeliveryId, MessageId, WorkspaceId } from "../../../src/kernel/ids.ts";
import type { FileRef, OutboundMessage } from "../../../src/kernel/messages.ts";
import { memoryNotes } from "./recorder.ts";
import { adapterOn, CALM, listenOn, part, testWorld } from "./rig.ts";

const message = (text: string, more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  id: "run1:answer:0" as DeliveryId,
  conversationId: "telegram:1" as ConversationId,
  kind: "answer",
  text,
  answers: [],
  at: 0,
  ...more,
});

const file = (name: string, more: Partial<FileRef> = {}): FileRef => ({
  artifact_id: name,
  name,
  media_type: "text/plain",
  bytes: 5,
  user_id: "telegram:1000" as WorkspaceId,
  ...more,
});

test("an answer is posted in HTML, without previews of links, and its id is the message's", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const chat = world.direct("ana");
  const [text = ""] = adapter.render(message("See **[this](https://x.test)** & `a < b`"));
  const { postedId } = await adapter.send(part(chat, text), CALM);
  expect(world.shown(chat)).toMatchObject([{ id: postedId, text }]);
  expect(world.kept(chat)).toMatchObject([{ text: "See this & a < b", linkPreview: false, replyTo: undefined }]);
});

test("in a group the first part of an answer replies to what it answers, the others do not", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const group = world.group("team");
  const asked = await world.say(group, "ana", { text: "when?", mention: true });
  const answers = [asked as MessageId];
  await adapter.send(part(group, "Now.", { answers }), CALM);
  await adapter.send(part(group, "And later.", { answers, id: "run1:answer:1" as DeliveryId }), CALM);
  expect(world.kept(group).map(({ replyTo }) => replyTo)).toEqual([Number(asked), undefined]);
});

test("an answer to a message that is gone, to a press or to a schedule is posted all the same", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const group = world.group("team");
  for (const answered of ["5", "40000000000001", "schedule:s1:17"])
    await adapter.send(part(group, "Here.", { answers: [answered as MessageId] }), CALM);
  expect(world.shown(group)).toHaveLength(3);
});

test("an answer in a topic stays in its topic; a closed and a deleted one say so", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const group = world.group("team");
  const topic = world.topic(group, 7);
  await adapter.send(part(topic, "In here."), CALM);
  expect(world.shown(topic)).toMatchObject([{ text: "In here." }]);
  expect(world.shown(group)).toEqual([]);
  world.served(group).topics.set(7, "closed");
  await expect(adapter.send(part(topic, "x"), CALM)).rejects.toMatchObject({
    code: "forbidden",
    retry: { kind: "never" },
    message: expect.stringContaining("The topic is closed"),
  });
  world.served(group).topics.delete(7);
  await expect(adapter.send(part(topic, "x"), CALM)).rejects.toMatchObject({ code: "not-found" });
});

test("markup that Telegram refuses is posted as plain text with every word", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const chat = world.direct("ana");
  world.fault({ kind: "markup-refused" });
  const text = `<b>Bold</b> &amp; <a href="https://x.test/?a=1&amp;b=2">a link</a>\n<pre><code class="language-ts">a &lt; b</code></pre>`;
  await adapter.send(part(chat, text), CALM);
  expect(world.shown(chat)).toMatchObject([{ text: "Bold & a link (https://x.test/?a=1&b=2)\na < b" }]);
});

test("a repeat carries the mark that says so, in the longest message too", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const chat = world.direct("ana");
  const texts = adapter.render(message("word ".repeat(3_000)));
  for (const text of texts) await adapter.send(part(chat, text), { ...CALM, repeatSince: 1 });
  expect(texts.length).toBeGreaterThan(3);
  expect(world.kept(chat).every(({ text }) => text.startsWith("(This may repeat what you already got.)"))).toBe(true);
});

test("buttons stand under the text, carry only their token, and leave room for an outcome", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const chat = world.direct("ana");
  const choices = ["Red", "Blue"];
  const texts = adapter.render(message("x".repeat(4_090), { kind: "question", choices }));
  expect(Math.max(...texts.map(({ length }) => length))).toBeLessThan(3_800);
  const buttons = choices.map((label, index) => ({ label, token: `${index}`.repeat(32), style: "plain" as const }));
  await adapter.send(part(chat, "Which?", { kind: "question", buttons }), CALM);
  expect(world.shown(chat)).toMatchObject([{ buttons: [{ label: "Red" }, { label: "Blue" }] }]);
  expect(world.kept(chat)[0]?.keyboard?.inline_keyboard).toHaveLength(2);
});

test.each([
  {
    fault: { kind: "rate-limited", seconds: 7 } as const,
    code: "rate-limited",
    retry: { kind: "after", ms: 7_000 },
    arrived: false,
  },
  { fault: { kind: "failing", status: 500 } as const, code: "unavailable", retry: { kind: "after" }, arrived: true },
  { fault: { kind: "failing", status: 502 } as const, code: "unavailable", retry: { kind: "after" }, arrived: true },
  { fault: { kind: "reply-lost" } as const, code: "unavailable", retry: { kind: "after" }, arrived: true },
  {
    fault: { kind: "unauthorized" } as const,
    code: "unauthorized",
    retry: { kind: "after", ms: 60_000 },
    arrived: false,
  },
  { fault: { kind: "forbidden" } as const, code: "forbidden", retry: { kind: "never" }, arrived: false },
])(
  "$fault.kind $fault.status: $code, and whether it may have arrived is told by it",
  async ({ fault, code, retry, arrived }) => {
    const world = await testWorld();
    const { adapter } = adapterOn(world);
    world.fault(fault);
    const error: unknown = await adapter.send(part(world.direct("ana"), "hello"), CALM).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "OutsideError", code, retry });
    expect(mayHaveHappened(error as OutsideError)).toBe(arrived);
    expect(world.shown(world.direct("ana"))).toHaveLength(fault.kind === "reply-lost" ? 1 : 0);
  },
);

test.each([
  ["blocked", "unblock it in its chat"],
  ["kicked", "add it again"],
  ["muted", "right to send messages"],
] as const)("a chat where the bot is %s: refused for good, with what can be done", async (state, advice) => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const group = world.group("team");
  world.served(group)[state] = true;
  await expect(adapter.send(part(group, "hello"), CALM)).rejects.toMatchObject({
    code: "forbidden",
    retry: { kind: "never" },
    message: expect.stringContaining(advice),
  });
});

test("a chat that does not exist, and an id that is none of Telegram's", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const chat = world.direct("ana");
  for (const conversationId of ["telegram:424242", "telegram:abc"] as ConversationId[])
    await expect(adapter.send({ ...part(chat, "x"), conversationId }, CALM)).rejects.toMatchObject({
      code: "not-found",
      retry: { kind: "never" },
    });
});

test("a server that is not there did certainly not take the message", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world, { options: { apiUrl: "http://127.0.0.1:1" } });
  const error: unknown = await adapter.send(part(world.direct("ana"), "x"), CALM).catch((e: unknown) => e);
  expect(error).toMatchObject({
    code: "overloaded",
    retry: { kind: "after" },
    message: expect.stringContaining("ECONNREFUSED"),
  });
  expect(mayHaveHappened(error as OutsideError)).toBe(false);
});

test("a group that became a supergroup gets its answer, at once and from then on, also from another process", async () => {
  const world = await testWorld();
  const notes = memoryNotes();
  const group = world.group("team");
  const upgraded = world.group("team, upgraded");
  world.served(group).movedTo = world.served(upgraded).id;
  await adapterOn(world, { notes }).adapter.send(part(group, "first"), CALM);
  await adapterOn(world, { notes }).adapter.send(part(group, "second"), CALM);
  expect(world.kept(upgraded).map(({ text }) => text)).toEqual(["first", "second"]);
  expect(world.api.calls.filter(({ method }) => method === "sendMessage")).toHaveLength(3);
  const { gateway } = listenOn(world, { notes });
  await world.say(upgraded, "ana", { text: "thanks", mention: true });
  await world.when(() => gateway.messages.length === 1);
  expect(gateway.messages[0]?.conversationId).toBe(group.conversation(""));
});

test("files go out as documents with their names, pictures as photos", async () => {
  const world = await testWorld();
  const png = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  const { adapter } = adapterOn(world, { files: { 'no;"tes é.txt': Buffer.from("hello"), "cat.png": png } });
  const chat = world.direct("ana");
  await adapter.send(part(chat, "", { file: file('no;"tes é.txt') }), CALM);
  await adapter.send(part(chat, "", { file: file("cat.png", { media_type: "image/png" }) }), {
    ...CALM,
    repeatSince: 1,
  });
  expect(world.shown(chat)).toMatchObject([
    { text: "", files: [{ name: "no__tes é.txt", content: Buffer.from("hello") }] },
    {
      text: "(This may repeat what you already got.)",
      files: [{ name: "cat.png", mimeType: "image/jpeg", content: png }],
    },
  ]);
});

test("a picture that Telegram cannot show as one goes out as a document", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world, { files: { "odd.png": Buffer.from("no picture") } });
  const chat = world.direct("ana");
  await adapter.send(part(chat, "", { file: file("odd.png", { media_type: "image/png" }) }), CALM);
  expect(world.shown(chat)).toMatchObject([{ files: [{ name: "odd.png", mimeType: "application/octet-stream" }] }]);
});

test("a file that is too large, or not kept any more, is said in words", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  const chat = world.direct("ana");
  await adapter.send(part(chat, "", { file: file("film <1>.mp4", { bytes: 60_000_001 }) }), CALM);
  await adapter.send(part(chat, "", { file: file("old.txt") }), CALM);
  expect(world.kept(chat).map(({ text }) => text)).toEqual([
    "The file film <1>.mp4 is too large for Telegram: 61 MB, and bots may send 50 MB.",
    "The file old.txt is not kept any more, so it was not sent.",
  ]);
});
