import { expect, test } from "vitest";
import { slackLab } from "./lab.ts";

test("a direct message is for the bot, from a person with a name", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.direct("Ana");

  const id = await world.say(chat, "Ana", { text: "a < b & c" });
  await gateway.until(() => gateway.messages.length === 1);

  const { id: channel } = world.channelOf(chat);
  expect(gateway.messages).toEqual([
    {
      id,
      conversationId: `slack:${channel}`,
      chat: `slack:${channel}`,
      direct: true,
      author: { id: world.person("Ana").id, name: "Ana", isBot: false },
      text: "a < b & c",
      files: [],
      addressed: true,
      thread: false,
      at: Math.floor(Number(id) * 1_000),
    },
  ]);
  await world.server.space.until(() => (world.unacknowledged() === 0 ? true : undefined));
});

test("a mention in a channel opens the thread of its own message, and comes once though Slack tells it twice", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("team");

  const id = await world.say(chat, "Ana", { text: "what is up?", mention: true });
  await gateway.until(() => gateway.calls.length === 2);

  expect(world.server.sent.map(({ payload }) => (payload["event"] as { type: string }).type)).toEqual([
    "app_mention",
    "message",
  ]);
  expect(gateway.messages).toHaveLength(1);
  expect(gateway.messages[0]).toMatchObject({
    conversationId: chat.conversation(id),
    chat: `slack:${world.channelOf(chat).id}`,
    text: "what is up?",
    addressed: true,
    thread: true,
    direct: false,
  });
});

test("what follows in a thread belongs to the thread, without a mention", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("team");
  const root = await world.say(chat, "Ana", { text: "hello", mention: true });

  const id = await world.say(world.thread(chat, root), "Ben", { text: "and then?" });
  await gateway.until(() => gateway.messages.length === 2);

  expect(gateway.messages[1]).toMatchObject({
    id,
    conversationId: chat.conversation(root),
    author: { name: "Ben" },
    addressed: false,
    thread: true,
  });
});

test("an edit and a deletion name the conversation and the message they are about", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("team");
  const id = await world.say(chat, "Ana", { text: "first", mention: true });

  await world.edit(chat, id, "second");
  await world.delete(chat, id);
  await gateway.until(() => gateway.deletions.length === 1);

  expect(gateway.edits).toEqual([{ conversationId: chat.conversation(id), id, text: "second" }]);
  expect(gateway.deletions).toEqual([{ conversationId: chat.conversation(id), id }]);
});

test("an edit does not overtake its message, and holds up nobody elsewhere", async () => {
  const { world, gateway, listen } = await slackLab();
  const held = Promise.withResolvers<undefined>();
  gateway.keep = async ({ author }) => {
    if (author.name === "Ana") await held.promise;
  };
  await listen();
  const chat = world.direct("Ana");

  const id = await world.say(chat, "Ana", { text: "first" });
  await world.edit(chat, id, "second");
  const other = await world.say(world.direct("Ben"), "Ben", { text: "hi" });
  await gateway.until(() => gateway.messages.length === 1);
  held.resolve(undefined);
  await gateway.until(() => gateway.edits.length === 1);

  expect(gateway.order.filter((line) => line !== `message ${other}`).slice(0, 2)).toEqual([
    `message ${id}`,
    `edit ${id}`,
  ]);
  expect(gateway.order[0]).toBe(`message ${other}`);
});

test("a message that comes after its own edit or deletion is the edited one, or none", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.direct("Ana");
  world.server.mute(true);
  const edited = await world.say(chat, "Ana", { text: "first" });
  const deleted = await world.say(chat, "Ana", { text: "never mind" });
  world.server.mute(false);
  await world.edit(chat, edited, "second");
  await world.delete(chat, deleted);
  await gateway.until(() => gateway.deletions.length === 1);

  // Slack brings what was not acknowledged again, as it was said at first.
  const late = world.server.sent.filter(
    ({ payload }) => (payload["event"] as { subtype?: string }).subtype === undefined,
  );
  for (const { type, payload, about } of late) await world.server.bring(type, payload, about).answered;

  expect(gateway.messages.map(({ id, text }) => [id, text])).toEqual([[edited, "second"]]);
});

test("the same event brought five times is one message, acknowledged five times", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const id = await world.say(world.direct("Ana"), "Ana", { text: "once" });

  await world.redeliver(id, 5);

  expect(gateway.messages).toHaveLength(1);
  expect(gateway.calls).toEqual(Array.from({ length: 6 }, () => id));
  expect(world.unacknowledged()).toBe(0);
});

test("events out of order keep their own times and ids", async () => {
  const { world, gateway, listen, notes } = await slackLab();
  await listen();
  const chat = world.direct("Ana");
  world.server.mute(true);
  const first = await world.say(chat, "Ana", { text: "first" });
  world.server.mute(false);
  const second = await world.say(chat, "Ana", { text: "second" });
  await gateway.until(() => gateway.messages.length === 1);

  await world.redeliver(first, 1);

  expect(gateway.messages.map(({ id, at }) => [id, at])).toEqual([
    [second, Math.floor(Number(second) * 1_000)],
    [first, Math.floor(Number(first) * 1_000)],
  ]);
  // What came late does not set back how far was read.
  expect((await notes.reached()).map(({ cursor }) => cursor)).toEqual([second]);
});

test("an event is acknowledged only when the message is kept, and is brought again when it could not be", async () => {
  const { world, gateway, listen } = await slackLab();
  const kept = Promise.withResolvers<undefined>();
  let tries = 0;
  gateway.keep = async () => {
    tries += 1;
    if (tries === 1) throw new Error("the store is away");
    await kept.promise;
  };
  await listen();

  await world.say(world.direct("Ana"), "Ana", { text: "important" });
  await gateway.until(() => gateway.calls.length >= 1);
  // Refused once, then brought again; held back, then let through.
  await world.server.space.until(() => (tries >= 1 ? true : undefined));
  expect(world.unacknowledged()).toBe(1);
  kept.resolve(undefined);
  await gateway.until(() => gateway.messages.length === 1);
  await world.server.space.until(() => (world.unacknowledged() === 0 ? true : undefined));

  expect(tries).toBeGreaterThan(1);
  expect(world.server.sent).toHaveLength(1);
});

test("the bot's own messages are nothing to it, and other bots come as bots", async () => {
  const { world, gateway, listen, adapter } = await slackLab();
  await listen();
  const chat = world.group("team");
  const own = {
    conversationId: chat.conversation("1.1"),
    kind: "answer",
    text: "me",
    buttons: [],
    answers: [],
  } as const;
  await adapter.send(
    { ...own, id: "r:s:0" as never },
    { repeatSince: undefined, draft: undefined, signal: new AbortController().signal },
  );

  await world.say(chat, world.bot("Builder").name, { text: "build done", mention: true });
  await gateway.until(() => gateway.messages.length === 1);

  expect(gateway.messages[0]?.author).toEqual({ ...world.bot("Builder") });
  await world.server.space.until(() => (world.unacknowledged() === 0 ? true : undefined));
  expect(gateway.messages).toHaveLength(1);
});

test("people joining, previews unfurling and the like are no messages", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("team");
  const { id: channel } = world.channelOf(chat);
  const id = await world.say(chat, "Ana", { text: "see https://example.com", mention: true });
  const message = { type: "message", ts: id, user: "U1", text: "see https://example.com" };
  for (const event of [
    {
      type: "message",
      subtype: "channel_join",
      channel,
      user: "U1",
      text: "<@U1> has joined",
      ts: "1700000000.000001",
    },
    // A link's preview is added by Slack; nobody edited anything.
    { type: "message", subtype: "message_changed", channel, ts: "1.1", message, previous_message: message },
    { type: "reaction_added", user: "U1", reaction: "eyes", item: { type: "message", channel, ts: id } },
    { type: "assistant_thread_context_changed", assistant_thread: {} },
  ])
    await world.server.event(event, "x").answered;

  expect(gateway.messages).toHaveLength(1);
  expect(gateway.edits).toEqual([]);
});

test("a file comes as a name, a type, a size and Slack's own id", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const content = Buffer.from("a,b\n1,2\n");

  await world.say(world.direct("Ana"), "Ana", { text: "", files: [{ name: "t.csv", mimeType: "text/csv", content }] });
  await gateway.until(() => gateway.messages.length === 1);

  expect(gateway.messages[0]?.files).toEqual([
    { name: "t.csv", mimeType: "text/csv", bytes: content.length, ref: expect.stringMatching(/^F/) },
  ]);
});

test("/parley stop is the command /stop of the channel's own conversation, and the person is told at once", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("team");

  const id = await world.command(chat, "Ana", "/stop");
  await gateway.until(() => gateway.messages.length === 1);

  expect(gateway.messages[0]).toMatchObject({
    id,
    conversationId: `slack:${world.channelOf(chat).id}`,
    author: { id: world.person("Ana").id, name: "Ana", isBot: false },
    text: "/stop",
    addressed: true,
    thread: false,
  });
  expect(await world.server.sent.at(-1)?.answered).toEqual({ response_type: "ephemeral", text: "Taken: /stop" });
});

test("a slash command where the bot is not tells how to invite it, and is not taken", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("elsewhere");
  world.channelOf(chat).botIsMember = false;

  await world.command(chat, "Ana", "/status");

  expect(await world.server.sent.at(-1)?.answered).toEqual({
    response_type: "ephemeral",
    text: "I am not in this channel. Invite me with /invite, then try again.",
  });
  expect(gateway.messages).toEqual([]);
});

test("in a thread a mention with nothing but a known word is a command, and !stop comes as it was said", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("team");
  const root = await world.say(chat, "Ana", { text: "long work", mention: true });
  const thread = world.thread(chat, root);

  await world.command(thread, "Ana", "/stop");
  await world.say(thread, "Ana", { text: "Status", mention: true });
  await world.say(thread, "Ana", { text: "stop saying that", mention: true });
  await gateway.until(() => gateway.messages.length === 4);

  expect(gateway.messages.slice(1).map(({ text }) => text)).toEqual(["!stop", "/status", "stop saying that"]);
});

test("opening the assistant's pane greets with prompts, and its first message names the talk", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();

  const pane = world.openPane("Ana");
  const { rules, space } = world.server;
  await space.until(() => (rules.prompts.size === 1 ? true : undefined));
  const id = await world.say(pane, "Ana", { text: "Plan my week\nplease" });
  await space.until(() => (rules.titles.size === 1 ? true : undefined));

  expect([...rules.prompts.values()][0]).toHaveLength(3);
  expect([...rules.titles.values()]).toEqual(["Plan my week"]);
  expect(gateway.messages[0]).toMatchObject({
    id,
    conversationId: pane.conversation(id),
    addressed: true,
    direct: true,
  });
});

test("a name that Slack does not tell in time does not hold up the message", async () => {
  const { world, gateway, listen } = await slackLab();
  world.server.rules.unknown.add("users.info");
  await listen();

  await world.say(world.direct("Ana"), "Ana", { text: "hi" });
  await gateway.until(() => gateway.messages.length === 1);

  const { id } = world.person("Ana");
  expect(gateway.messages[0]?.author).toEqual({ id, name: id.slice("slack:".length), isBot: false });
});
