import { expect, test } from "vitest";
import { memoryNotes, RecordingGateway, slackLab } from "./lab.ts";

test("when every connection is cut the bot comes back by itself, and what was not acknowledged comes again", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const held = Promise.withResolvers<undefined>();
  gateway.keep = async () => {
    await held.promise;
  };
  await world.say(world.direct("Ana"), "Ana", { text: "in flight" });
  await gateway.until(() => gateway.calls.length === 1);

  world.cut();
  await world.server.space.until(() => (world.server.sockets.size === 0 ? true : undefined));
  held.resolve(undefined);
  await world.server.space.until(() => (world.unacknowledged() === 0 ? true : undefined));
  await world.say(world.direct("Ana"), "Ana", { text: "after" });
  await gateway.until(() => gateway.messages.length === 2);

  expect(gateway.messages.map(({ text }) => text)).toEqual(["in flight", "after"]);
});

test("when Slack asks to connect anew, it is done at once, whether or not the old connection closes", async () => {
  const { world, gateway, listen } = await slackLab();
  await listen();
  const [first] = world.server.sockets;
  first?.linger();

  first?.send(JSON.stringify({ type: "disconnect", reason: "refresh_requested", debug_info: { host: "applink-1" } }));
  await world.server.space.until(() => {
    const others = [...world.server.sockets].filter((socket) => socket !== first);
    return others.length === 1 ? true : undefined;
  });
  await world.say(world.direct("Ana"), "Ana", { text: "still there?" });
  await gateway.until(() => gateway.messages.length === 1);

  expect(gateway.messages[0]?.text).toBe("still there?");
});

test("a connection that went silent is left for another one", async () => {
  const { world, gateway, listen, logged } = await slackLab({ options: { silenceMs: 300 } });
  await listen();
  const [first] = world.server.sockets;

  first?.freeze();
  await world.server.space.until(() => ([...world.server.sockets].some((one) => one !== first) ? true : undefined));
  await world.say(world.direct("Ana"), "Ana", { text: "hello?" });
  await gateway.until(() => gateway.messages.length === 1);

  expect(logged.join("\n")).toContain("the connection to Slack ended; connecting anew");
});

test("what was said while nobody listened is fetched: direct chats, mentions in channels, threads, in order", async () => {
  const { world, gateway, listen } = await slackLab();
  const stop = await listen();
  const direct = world.direct("Ana");
  const group = world.group("team");
  await world.say(direct, "Ana", { text: "before" });
  const root = await world.say(group, "Ben", { text: "before", mention: true });
  await gateway.until(() => gateway.messages.length === 2);
  await world.server.space.until(() => (world.unacknowledged() === 0 ? true : undefined));
  await stop();

  world.server.mute(true);
  await world.say(direct, "Ana", { text: "missed 1" });
  await world.say(direct, "Ana", { text: "missed 2" });
  await world.say(world.thread(group, root), "Ben", { text: "missed in the thread" });
  const other = await world.say(group, "Ben", { text: "missed mention", mention: true });
  await world.say(world.thread(group, other), "Ben", { text: "missed follow-up" });
  await world.say(group, "Ben", { text: "not for the bot" });
  world.server.mute(false);
  await listen();
  await gateway.until(() => gateway.messages.length === 8);

  const fetched = gateway.messages.slice(2);
  const of = (conversation: string) =>
    fetched.filter(({ conversationId }) => conversationId === conversation).map(({ text }) => text);
  expect(of(direct.conversation(""))).toEqual(["missed 1", "missed 2"]);
  expect(of(group.conversation(root))).toEqual(["missed in the thread"]);
  expect(of(group.conversation(other))).toEqual(["missed mention", "missed follow-up"]);
  expect(fetched.find(({ text }) => text === "not for the bot")).toMatchObject({ addressed: false });
});

test("a talk in the assistant's pane that was begun while nobody listened is found", async () => {
  const { world, gateway, listen } = await slackLab();
  const stop = await listen();
  await world.say(world.direct("Ana"), "Ana", { text: "before" });
  await gateway.until(() => gateway.messages.length === 1);
  await stop();

  world.server.mute(true);
  const pane = world.openPane("Ana");
  const id = await world.say(pane, "Ana", { text: "anybody there?" });
  world.server.mute(false);
  await listen();
  await gateway.until(() => gateway.messages.length === 2);

  expect(gateway.messages[1]).toMatchObject({ id, conversationId: pane.conversation(id), text: "anybody there?" });
});

test("a limit on the rate does not keep the bot from connecting: the rest is fetched later", async () => {
  const { world, gateway, listen, notes } = await slackLab();
  const chats = [world.direct("Ana"), world.direct("Ben")];
  world.server.mute(true);
  for (const chat of chats) {
    await notes.reach(world.channelOf(chat).id, "1700000000.000001", Date.now() - 1_000);
    await world.say(chat, "Ana", { text: "missed" });
  }
  world.server.mute(false);
  world.server.limitReads(1);

  await listen();
  await world.say(world.direct("Carl"), "Carl", { text: "new" });
  await gateway.until(() => gateway.messages.length === 3);

  expect(gateway.messages.map(({ text }) => text).toSorted()).toEqual(["missed", "missed", "new"]);
});

test("a second process fetches from where the first one left off", async () => {
  const notes = memoryNotes();
  const one = await slackLab({ notes });
  const stop = await one.listen();
  const chat = one.world.direct("Ana");
  await one.world.say(chat, "Ana", { text: "to the first" });
  await one.world.server.space.until(() => (one.world.unacknowledged() === 0 ? true : undefined));
  await stop();
  one.world.server.mute(true);
  await one.world.say(chat, "Ana", { text: "to nobody" });
  one.world.server.mute(false);

  const two = await slackLab({ world: one.world, notes, gateway: new RecordingGateway() });
  await two.listen();
  await two.gateway.until(() => two.gateway.messages.length > 0);

  expect(two.gateway.messages.map(({ text }) => text)).toEqual(["to nobody"]);
});

test("at the very first start nothing old is answered", async () => {
  const { world, gateway, listen } = await slackLab();
  world.server.mute(true);
  await world.say(world.direct("Ana"), "Ana", { text: "long ago" });
  world.server.mute(false);

  await listen();
  await world.say(world.direct("Ana"), "Ana", { text: "now" });
  await gateway.until(() => gateway.messages.length === 1);

  expect(gateway.messages[0]?.text).toBe("now");
});

test("a channel that cannot be read any longer does not keep the others from being fetched", async () => {
  const { world, gateway, listen, notes, logged } = await slackLab();
  const chat = world.direct("Ana");
  const { id } = world.channelOf(chat);
  await notes.reach("C404GONE", "1700000000.000001", Date.now());
  await notes.reach(id, "1700000000.000001", Date.now() - 1_000);
  world.server.mute(true);
  await world.say(chat, "Ana", { text: "missed" });
  world.server.mute(false);

  await listen();
  await gateway.until(() => gateway.messages.length === 1);

  expect(logged.join("\n")).toContain("what was missed in a Slack channel was not fetched");
});

test("what was missed and could not be kept ends the listening, and nothing counts as read", async () => {
  const { world, gateway, begin, notes, reports } = await slackLab();
  const chat = world.direct("Ana");
  const { id } = world.channelOf(chat);
  await notes.reach(id, "1700000000.000001", Date.now() - 1_000);
  world.server.mute(true);
  await world.say(chat, "Ana", { text: "missed" });
  gateway.keep = () => Promise.reject(new Error("the store is away"));

  await expect(begin().ended).rejects.toThrow("the store is away");

  expect(await notes.reached()).toMatchObject([{ cursor: "1700000000.000001" }]);
  expect(reports.at(-1)).toEqual({ connected: false, trouble: "the store is away" });
});

test("a bot token that is not good ends the listening with what to do", async () => {
  const { begin, reports } = await slackLab({ options: { botToken: "xoxb-wrong" } });

  await expect(begin().ended).rejects.toMatchObject({ code: "unauthorized", retry: { kind: "never" } });

  expect(reports).toEqual([{ connected: false, trouble: expect.stringContaining("check SLACK_BOT_TOKEN") }]);
  expect(JSON.stringify(reports)).not.toContain("xoxb-wrong");
});

test("an app token that is not good is told apart from the bot's", async () => {
  const { begin, reports } = await slackLab({ options: { appToken: "xapp-wrong" } });

  await expect(begin().ended).rejects.toMatchObject({ code: "unauthorized" });

  expect(reports.at(-1)).toMatchObject({ connected: false, trouble: expect.stringContaining("check SLACK_APP_TOKEN") });
  expect(JSON.stringify(reports)).not.toContain("xapp-wrong");
});

test("scopes that were not granted are named while everything else works", async () => {
  const { world, listen, reports } = await slackLab();
  world.server.rules.scopes = world.server.rules.scopes.filter((scope) => !scope.startsWith("files:"));

  await listen();

  expect(reports.at(-1)).toEqual({
    connected: true,
    trouble:
      "The Slack app lacks the scopes files:read, files:write: add what is missing under OAuth & Permissions and install the app again",
  });
});

test("a token that is revoked later is noticed although the connection stands", async () => {
  const { world, begin, reports } = await slackLab({ options: { selfCheckMs: 50 } });
  const { ended } = begin();
  await world.server.space.until(() => (world.server.sockets.size === 1 ? true : undefined));

  world.server.rules.refuseAll = "token_revoked";

  await expect(ended).rejects.toMatchObject({ code: "unauthorized" });
  expect(reports.at(-1)).toMatchObject({ connected: false, trouble: expect.stringContaining("revoked") });
});

test("when Slack cannot be reached, listening ends and is to be tried again", async () => {
  const { begin } = await slackLab({ options: { apiUrl: "http://127.0.0.1:9/api/" } });

  await expect(begin().ended).rejects.toMatchObject({ code: "unavailable", retry: { kind: "after" } });
});

test("a server that is gone for a moment does not end the process, only the listening", async () => {
  const { world, begin, reports } = await slackLab();
  const { ended } = begin();
  await world.server.space.until(() => (world.server.sockets.size === 1 ? true : undefined));

  await world.close();

  // The client library's own reconnecting would throw where nobody catches it.
  await expect(ended).rejects.toMatchObject({ retry: { kind: "after" } });
  expect(reports.at(-1)).toMatchObject({ connected: false });
});

test("stopping waits for what is being taken and acknowledges it", async () => {
  const { world, gateway, listen } = await slackLab();
  const stop = await listen();
  const held = Promise.withResolvers<undefined>();
  gateway.keep = async () => {
    await held.promise;
  };
  await world.say(world.direct("Ana"), "Ana", { text: "last" });
  await gateway.until(() => gateway.calls.length === 1);

  const stopped = stop();
  held.resolve(undefined);
  await stopped;

  expect(world.unacknowledged()).toBe(0);
  expect(world.server.sockets.size).toBe(0);
});
