import { MessageFlags } from "discord.js";
import { expect, test } from "vitest";
import type { Part, SendContext } from "../../../src/platforms/contract.ts";
import type { DeliveryId, MessageId } from "../../../src/kernel/ids.ts";
import type { FileRef } from "../../../src/kernel/messages.ts";
import { createMemoryNotes, startListening, testParts, useWorld } from "./lab.ts";
import type { Chat } from "../world.ts";

const world = useWorld();

let count = 0;
function part(chat: Pick<Chat, "conversation">, text: string, more: Partial<Part> = {}): Part {
  const id = `r${++count}:finish:0` as DeliveryId;
  return { id, conversationId: chat.conversation(""), kind: "answer", text, buttons: [], answers: [], ...more };
}

function context(more: Partial<SendContext> = {}): SendContext {
  return { repeatSince: undefined, draft: undefined, signal: AbortSignal.timeout(15_000), ...more };
}

function posts() {
  return world().server.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/messages"));
}

test("an answer is posted with everything that keeps it from calling people, showing previews or coming twice", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  const { postedId } = await adapter.send(part(chat, "hello @everyone https://example.com"), context());
  expect(world().shown(chat)).toEqual([
    { id: postedId, text: "hello @everyone https://example.com", buttons: [], files: [] },
  ]);
  expect(posts()[0]?.body).toEqual({
    content: "hello @everyone https://example.com",
    allowed_mentions: { parse: [] },
    flags: MessageFlags.SuppressEmbeds,
    nonce: expect.stringMatching(/^[\w-]{25}$/),
    enforce_nonce: true,
  });
});

test("the same part sent again posts nothing new", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  world().fault({ kind: "reply-lost" });
  const given = part(chat, "once");
  await expect(adapter.send(given, context())).rejects.toMatchObject({ code: "unavailable", retry: { kind: "after" } });
  const { postedId } = await adapter.send(given, context({ repeatSince: Date.now() }));
  expect(
    world()
      .shown(chat)
      .map(({ id, text }) => [id, text]),
  ).toEqual([[postedId, "once"]]);
});

test("a part that was sent so long ago that Discord has forgotten it is looked for", async () => {
  const chat = world().direct("Ana");
  const given = part(chat, "  once  ");
  const earlier = world().adapter(testParts());
  const since = Date.now();
  const { postedId } = await earlier.send(given, context());
  for (let n = 0; n < 120; n++) world().sayRaw(chat, "Ana", { content: "once" });
  const channel = world().channel(chat);
  // Discord remembers a nonce for minutes only.
  channel.messages.splice(0, 1, { ...channel.messages[0], nonce: "forgotten" } as never);
  const clock = { now: () => since + 3_600_000, monotonic: () => 0 };
  const later = world().adapter(testParts({ clock }));
  expect(await later.send(given, context({ repeatSince: since }))).toEqual({ postedId });
  expect(world().shown(chat)).toHaveLength(1);
});

test("in a channel an answer points at the message it answers, and its further parts do not", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().group("general");
  const asked = world().sayRaw(chat, "Ana", { content: "well?" });
  const first = part(chat, "first", { answers: [asked as MessageId] });
  await adapter.send(first, context());
  await adapter.send({ ...first, id: `${first.id.replace(/:0$/, "")}:1` as DeliveryId, text: "second" }, context());
  const [one, two] = world().channel(chat).messages.slice(1);
  expect([one?.reference, two?.reference]).toEqual([asked, undefined]);
});

test("where the bot may not read the history the answer is posted without pointing back", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().group("general");
  const asked = world().sayRaw(chat, "Ana", { content: "well?" });
  world().channel(chat).denied.add("history");
  await adapter.send(part(chat, "here", { answers: [asked as MessageId] }), context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["here"]);
});

test("a message that was deleted meanwhile is answered all the same", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().group("general");
  const asked = world().sayRaw(chat, "Ana", { content: "well?" });
  await world().delete(chat, asked);
  await adapter.send(part(chat, "here", { answers: [asked as MessageId] }), context());
  expect(world().shown(chat)).toHaveLength(1);
});

test("buttons stand in rows of five with their colours, long labels are cut", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  const buttons = [
    { label: "Approve", token: "t1", style: "yes" },
    { label: "Deny", token: "t2", style: "no" },
    { label: "x".repeat(100), token: "t3", style: "plain" },
    ...[4, 5, 6].map((n) => ({ label: `choice ${n}`, token: `t${n}`, style: "plain" }) as const),
  ] as const;
  await adapter.send(part(chat, "Which?", { kind: "question", buttons }), context());
  const [message] = world().channel(chat).messages;
  expect(message?.components.map((row) => row.components.map(({ label, style }) => [label, style]))).toEqual([
    [
      ["Approve", 3],
      ["Deny", 4],
      [`${"x".repeat(79)}…`, 2],
      ["choice 4", 2],
      ["choice 5", 2],
    ],
    [["choice 6", 2]],
  ]);
});

const FILE: FileRef = {
  artifact_id: "a1",
  name: "report.txt",
  media_type: "text/plain",
  bytes: 5,
  user_id: "discord:1" as FileRef["user_id"],
};

test("a file goes out as an attachment, once", async () => {
  const adapter = world().adapter(testParts({ readFile: () => Promise.resolve(Buffer.from("words")) }));
  const chat = world().direct("Ana");
  const given = part(chat, "", { file: FILE });
  world().fault({ kind: "reply-lost" });
  await expect(adapter.send(given, context())).rejects.toMatchObject({ code: "unavailable" });
  await adapter.send(given, context({ repeatSince: Date.now() }));
  expect(
    world()
      .shown(chat)
      .map(({ files }) => files),
  ).toEqual([[{ name: "report.txt", mimeType: expect.stringMatching(/^text\/plain/), content: Buffer.from("words") }]]);
});

test.each([
  ["too large for Discord", Buffer.alloc(10 * 1024 * 1024 + 1), /report\.txt.*larger than Discord takes/],
  ["no longer kept", undefined, /report\.txt.*no longer kept/],
])("a file that is %s is not lost in silence", async (_what, content, words) => {
  const adapter = world().adapter(testParts({ readFile: () => Promise.resolve(content) }));
  const chat = world().direct("Ana");
  await adapter.send(part(chat, "", { file: FILE }), context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual([expect.stringMatching(words)]);
});

test("a limit on the rate is given on with its wait, and the library waits for nothing itself", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  world().fault({ kind: "rate-limited", seconds: 2 });
  const given = part(chat, "later");
  const error = (await adapter.send(given, context()).catch((thrown: unknown) => thrown)) as {
    readonly retry: { readonly ms: number };
  };
  expect(error).toMatchObject({ code: "rate-limited", retry: { kind: "after" } });
  expect(error.retry.ms).toBeGreaterThanOrEqual(2000);
  expect(error.retry.ms).toBeLessThan(3000);
  // Still limited: it is refused here, without asking Discord in vain.
  await expect(adapter.send(given, context())).rejects.toMatchObject({ code: "rate-limited" });
  expect(posts()).toHaveLength(1);
});

test.each([
  [{ kind: "failing", status: 502 } as const, "unavailable", "after", /HTTP 502/],
  [{ kind: "unauthorized" } as const, "unauthorized", "after", /DISCORD_TOKEN/],
  [{ kind: "forbidden" } as const, "forbidden", "never", /"Send Messages"/],
])("%j is %s, retry %s", async (fault, code, retry, advice) => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  world().fault(fault);
  const given = part(chat, "hello");
  await expect(adapter.send(given, context())).rejects.toMatchObject({
    name: "OutsideError",
    code,
    retry: { kind: retry },
    message: expect.stringMatching(advice),
  });
  // The library forgets a token that was refused; a later try has it again.
  await adapter.send(given, context());
  expect(world().shown(chat)).toHaveLength(1);
});

test.each([
  ["view", "forbidden", /"View Channel"/],
  ["send", "forbidden", /"Send Messages"/],
] as const)("without the permission to %s the operator is told which one to give", async (permission, code, advice) => {
  const adapter = world().adapter(testParts());
  const chat = world().group("general");
  world().channel(chat).denied.add(permission);
  await expect(adapter.send(part(chat, "hello"), context())).rejects.toMatchObject({
    code,
    message: expect.stringMatching(advice),
  });
});

test("without the permission to attach files the operator is told so", async () => {
  const adapter = world().adapter(testParts({ readFile: () => Promise.resolve(Buffer.from("x")) }));
  const chat = world().group("general");
  world().channel(chat).denied.add("attach");
  await expect(adapter.send(part(chat, "", { file: FILE }), context())).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringMatching(/"Attach Files"/),
  });
});

test("a person who takes no messages, and a channel that is gone, are for ever", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  world().channel(chat).denied.add("send");
  await expect(adapter.send(part(chat, "hello"), context())).rejects.toMatchObject({
    code: "forbidden",
    retry: { kind: "never" },
    message: expect.stringMatching(/blocked/),
  });
  world().server.state.channels.delete(world().channel(chat).id);
  await expect(adapter.send(part(chat, "hello"), context())).rejects.toMatchObject({ code: "not-found" });
});

test("what Discord would refuse is refused by the server of these tests as well", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  await expect(adapter.send(part(chat, "x".repeat(2001)), context())).rejects.toMatchObject({ code: "bad-request" });
});

test("a thread that was decided on is begun by its first answer, whoever sends it", async () => {
  const notes = createMemoryNotes();
  const { gateway } = await startListening(world(), { options: { threads: "always" }, parts: testParts({ notes }) });
  const chat = world().group("general");
  const id = await world().say(chat, "Ana", { text: "plan the week", mention: true });
  await gateway.until(() => gateway.messages.length === 1);
  const thread = { conversation: () => gateway.messages[0]?.conversationId ?? ("" as never) };
  const sender = world().adapter(testParts({ notes }));
  await sender.presence?.typing?.(thread.conversation(), AbortSignal.timeout(10_000));
  await sender.send(part(thread, "monday …", { answers: [id as MessageId] }), context());
  await sender.send(part(thread, "tuesday …"), context());
  const begun = world().server.state.channels.get(id);
  expect(begun).toMatchObject({ name: "plan the week", parentId: world().channel(chat).id });
  expect(begun?.messages.map(({ content, reference }) => [content, reference])).toEqual([
    ["monday …", undefined],
    ["tuesday …", undefined],
  ]);
  expect(world().server.state.typing.get(id)).toBe(1);
});

test("where no threads may be begun the channel gets the answer", async () => {
  const notes = createMemoryNotes();
  const { gateway } = await startListening(world(), { options: { threads: "always" }, parts: testParts({ notes }) });
  const chat = world().group("general");
  world().channel(chat).denied.add("threads");
  const id = await world().say(chat, "Ana", { text: "plan the week", mention: true });
  await gateway.until(() => gateway.messages.length === 1);
  const thread = { conversation: () => gateway.messages[0]?.conversationId ?? ("" as never) };
  const sender = world().adapter(testParts({ notes }));
  await sender.send(part(thread, "monday …", { answers: [id as MessageId] }), context());
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["monday …"]);
});

test("progress is one line that is changed in place, and then goes", async () => {
  const adapter = world().adapter(testParts());
  const chat = world().direct("Ana");
  const { signal } = context();
  const conversation = chat.conversation("");
  const line = await adapter.presence?.progress?.(conversation, "searching *the* web", undefined, signal);
  const same = await adapter.presence?.progress?.(conversation, "reading", line, signal);
  expect(same).toBe(line);
  expect(
    world()
      .shown(chat)
      .map(({ text }) => text),
  ).toEqual(["-# reading"]);
  await adapter.presence?.clearProgress?.(conversation, line, signal);
  await adapter.presence?.clearProgress?.(conversation, line, signal);
  expect(world().shown(chat)).toEqual([]);
  const again = await adapter.presence?.progress?.(conversation, "more", line, signal);
  expect(again).not.toBe(line);
});
