import { expect, test } from "vitest";
import { z } from "zod";
import { isCommand } from "../../../src/agent/commands.ts";
import { memoryNotes, Recorder } from "./recorder.ts";
import { CALM, listenOn, part, testWorld } from "./rig.ts";

test("a message of a private chat comes in whole, and Telegram hears that it was kept", async () => {
  const world = await testWorld();
  const { gateway } = listenOn(world);
  const chat = world.direct("ana");
  const id = await world.say(chat, "ana", { text: "hello" });
  await world.when(() => world.unacknowledged() === 0 && gateway.messages.length === 1);
  expect(gateway.messages).toEqual([
    {
      id,
      conversationId: chat.conversation(id),
      chat: chat.conversation(id),
      direct: true,
      author: world.person("ana"),
      text: "hello",
      files: [],
      addressed: true,
      thread: false,
      at: 1_760_000_000_000,
    },
  ]);
});

test("an update whose write fails ten times is neither lost nor overtaken nor confirmed before", async () => {
  const world = await testWorld();
  const gateway = new Recorder(() => world.api.changed());
  gateway.failing = 10;
  gateway.failsFor = "first";
  const { reports } = listenOn(world, { gateway });
  const chat = world.direct("ana");
  await world.say(chat, "ana", { text: "first" });
  await world.say(chat, "ana", { text: "second" });
  await world.when(() => gateway.calls.length === 8);
  expect(world.unacknowledged()).toBe(2);
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.texts).toEqual(["first", "second"]);
  expect(gateway.calls).toHaveLength(12);
  expect(reports.some(({ trouble }) => trouble?.includes("cannot be kept (Redis is not there)"))).toBe(true);
  expect(reports.at(-1)).toEqual({ connected: true });
});

test("a process that ends between receiving and confirming leaves the update to the next one", async () => {
  const world = await testWorld();
  const failing = new Recorder(() => world.api.changed());
  failing.failing = Number.POSITIVE_INFINITY;
  const first = listenOn(world, { gateway: failing });
  await world.say(world.direct("ana"), "ana", { text: "do not lose me" });
  await world.when(() => failing.calls.length > 3);
  await first.stop();
  expect(world.unacknowledged()).toBe(1);
  const { gateway } = listenOn(world);
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.texts).toEqual(["do not lose me"]);
});

test("the same message brought five more times has the same id each time", async () => {
  const world = await testWorld();
  const { gateway } = listenOn(world);
  const id = await world.say(world.direct("ana"), "ana", { text: "once" });
  await world.redeliver(id, 5);
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.calls).toHaveLength(6);
  expect(gateway.texts).toEqual(["once"]);
});

test("a connection that is cut is made again, and nothing is missed", async () => {
  const world = await testWorld();
  const { gateway, reports } = listenOn(world);
  await world.when(() => world.api.updates.polled);
  world.cut();
  await world.say(world.direct("ana"), "ana", { text: "after the cut" });
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.texts).toEqual(["after the cut"]);
  expect(reports.find(({ connected }) => !connected)?.trouble).toMatch(/^Telegram gave no usable answer/);
  expect(reports.at(-1)).toEqual({ connected: true });
});

test("when another program polls with the token, it says so and goes on for as long as it takes", async () => {
  const world = await testWorld();
  const { gateway, reports, waits } = listenOn(world);
  await world.when(() => world.api.updates.polled);
  // One poll of the other program ends ours, and then it is quicker fifty times.
  world.api.refusePolls(
    50,
    409,
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
  );
  await fetch(`${world.url}/bot${world.token}/getUpdates`, { method: "POST" });
  await world.say(world.direct("ana"), "ana", { text: "still here" });
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.texts).toEqual(["still here"]);
  expect(reports.find(({ connected }) => !connected)?.trouble).toContain(
    "Another program polls with this bot's token.",
  );
  expect(waits.length).toBeGreaterThanOrEqual(49);
  expect(Math.max(...waits)).toBe(30_000);
});

test("a webhook that another program sets is removed without dropping what waits", async () => {
  const world = await testWorld();
  const { gateway, reports } = listenOn(world);
  await world.when(() => world.api.updates.polled);
  world.api.updates.setWebhook({ url: "http://127.0.0.1:1/gone", secret: undefined });
  await world.say(world.direct("ana"), "ana", { text: "meanwhile" });
  await world.when(() => gateway.texts.includes("meanwhile") && world.unacknowledged() === 0);
  expect(reports.some(({ trouble }) => trouble?.includes("A webhook is set for this bot"))).toBe(true);
});

test("a token that Telegram refuses ends listening with what to do", async () => {
  const world = await testWorld();
  const { over } = listenOn(world, { options: { token: `123456789:${"x".repeat(35)}` } });
  await expect(over).rejects.toMatchObject({ code: "unauthorized", message: expect.stringContaining("@BotFather") });
});

test("a token without the form of one is refused with the same words", async () => {
  const world = await testWorld();
  const { over } = listenOn(world, { options: { token: "my-token" } });
  await expect(over).rejects.toMatchObject({ code: "unauthorized", message: expect.stringContaining("@BotFather") });
});

test("a token that is revoked while it listens ends it too", async () => {
  const world = await testWorld();
  const { over } = listenOn(world);
  await world.when(() => world.api.updates.polled);
  world.api.revoked = true;
  world.cut();
  await expect(over).rejects.toMatchObject({ code: "unauthorized" });
});

test("what Telegram asks to wait for is waited for", async () => {
  const world = await testWorld();
  const { waits } = listenOn(world);
  await world.when(() => world.api.updates.polled);
  world.api.refusePolls(1, 429, "Too Many Requests: retry after 17", { retry_after: 17 });
  world.cut();
  await world.when(() => waits.includes(17_000));
});

test.each(["getMe", "setMyCommands", "deleteWebhook", "getUpdates"])(
  "told to end during %s, it ends without a failure",
  async (method) => {
    const world = await testWorld();
    const stuck = new Promise<void>((resolve) => world.api.onArrival(method, () => (resolve(), new Promise(() => {}))));
    const listening = listenOn(world);
    await stuck;
    await listening.stop();
    await expect(listening.over).resolves.toBe(undefined);
  },
);

test("an update that cannot be read is passed over and does not hold up the next one", async () => {
  const world = await testWorld();
  const { gateway, logged } = listenOn(world);
  world.api.updates.add({ message: { message_id: "?" } } as never);
  await world.say(world.direct("ana"), "ana", { text: "next" });
  await world.when(() => world.unacknowledged() === 0 && gateway.messages.length === 1);
  expect(gateway.texts).toEqual(["next"]);
  expect(logged.some((line) => line.startsWith("an update of Telegram could not be read"))).toBe(true);
});

test("a command of another bot in the group is none of ours", async () => {
  const world = await testWorld();
  const { gateway } = listenOn(world);
  const group = world.group("team");
  const text = "/help@other_bot";
  world.bring(group, "ana", { text, entities: [{ type: "bot_command", offset: 0, length: text.length }] });
  await world.command(group, "ana", "/status");
  await world.when(() => world.unacknowledged() === 0 && gateway.messages.length === 1);
  expect(gateway.messages).toMatchObject([{ text: "/status", addressed: true, direct: false }]);
});

test("an edited message is told as a change of the first one; of a deleted one Telegram says nothing", async () => {
  const world = await testWorld();
  const { gateway } = listenOn(world);
  const chat = world.direct("ana");
  const id = await world.say(chat, "ana", { text: "helo" });
  await world.edit(chat, id, "hello");
  world.remove(chat, id);
  await world.when(() => world.unacknowledged() === 0 && gateway.edits.length === 1);
  expect(gateway.edits).toEqual([{ conversationId: chat.conversation(id), id, text: "hello" }]);
});

test("a group that becomes a supergroup keeps its conversation, in and out", async () => {
  const world = await testWorld();
  const notes = memoryNotes();
  const { gateway } = listenOn(world, { notes });
  const group = world.group("team");
  const upgraded = world.group("team, upgraded");
  const old = world.served(group).id;
  const now = world.served(upgraded).id;
  world.bring(group, "ana", { migrate_to_chat_id: now });
  world.bring(upgraded, "ana", { migrate_from_chat_id: old });
  await world.say(upgraded, "ana", { text: "are you still here?", mention: true });
  await world.when(() => world.unacknowledged() === 0 && gateway.messages.length === 1);
  expect(gateway.messages).toMatchObject([
    { conversationId: `telegram:${old}`, chat: `telegram:${old}`, text: "are you still here?", addressed: true },
  ]);
});

test("the menu offers only commands that there are; it is shown once, and again when it was changed", async () => {
  const world = await testWorld();
  const notes = memoryNotes();
  const shownMenus = () => world.api.calls.filter(({ method }) => method === "setMyCommands").length;
  const listenOnce = async () => {
    const listening = listenOn(world, { notes });
    await world.when(() => world.api.updates.polled);
    await listening.stop();
    await world.when(() => !world.api.updates.polled);
  };
  await listenOnce();
  const menu = z.array(z.object({ command: z.string() }));
  const direct = menu.parse(world.api.menus.get("all_private_chats")).map(({ command }) => command);
  const groups = menu.parse(world.api.menus.get("all_group_chats")).map(({ command }) => command);
  expect(direct).toContain("help");
  expect(direct.filter((name) => !isCommand(name))).toEqual([]);
  expect(groups.filter((name) => !direct.includes(name))).toEqual([]);
  await listenOnce();
  expect(shownMenus()).toBe(2);
  await notes.write("menu", "that of another version");
  await listenOnce();
  expect(shownMenus()).toBe(4);
});

test("a press is told its outcome, and the line takes the place of the buttons with every mark kept", async () => {
  const world = await testWorld();
  const { gateway, adapter } = listenOn(world);
  gateway.told = { notice: "Approved.", outcome: "✅ Approved by ana." };
  const chat = world.direct("ana");
  const buttons = [
    { label: "Approve", token: "t-yes", style: "yes" },
    { label: "Deny", token: "t-no", style: "no" },
  ] as const;
  await adapter.send(part(chat, "May I <b>delete</b> it?", { kind: "approval", buttons }), CALM);
  const [card] = world.shown(chat);
  expect(card?.buttons).toEqual([{ label: "Approve" }, { label: "Deny" }]);
  if (card === undefined) throw new Error("nothing was shown");
  expect(await world.press(chat, "ana", card, "Approve")).toBe("Approved.");
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.presses).toMatchObject([
    { token: "t-yes", by: world.person("ana"), conversationId: chat.conversation(""), direct: true },
  ]);
  expect(world.shown(chat)).toMatchObject([{ text: "May I delete it?\n\n✅ Approved by ana.", buttons: [] }]);
  expect(world.kept(chat)[0]?.entities).toEqual([{ type: "bold", offset: 6, length: 6 }]);
});

test("a press that comes too late to be answered, or on a message that is gone, does not stop listening", async () => {
  const world = await testWorld();
  const { gateway } = listenOn(world);
  gateway.told = { notice: "Too late.", outcome: "No longer open." };
  const chat = world.direct("ana");
  const { id } = world.served(chat);
  world.api.updates.add({
    callback_query: {
      id: "1",
      from: world.user("ana"),
      chat_instance: "1",
      data: "old",
      message: { message_id: 5, date: 0, chat: { id, type: "private", first_name: "ana" } },
    },
  } as never);
  world.api.updates.add({ callback_query: { id: "2", from: world.user("ana"), chat_instance: "1" } });
  await world.say(chat, "ana", { text: "go on" });
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.texts).toEqual(["go on"]);
  expect(gateway.presses).toMatchObject([{ token: "old" }]);
  expect(world.api.calls.filter(({ method }) => method === "answerCallbackQuery")).toHaveLength(2);
});
