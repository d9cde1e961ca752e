import { MessageType } from "discord.js";
import { describe, expect, test } from "vitest";
import type { ChannelFacts } from "./channels.ts";
import { isEdit, placeOf, readMessage } from "./incoming.ts";
import { messageSchema } from "./wire.ts";

const ME = "100";
const NAMES = { channel: (id: string) => (id === "5" ? "general" : undefined), role: () => undefined };
const CHANNEL: ChannelFacts = { id: "5", kind: "channel", name: "general" };
const ANA = { id: "7", username: "ana_", global_name: "Ana" };
const BOT = { id: ME, username: "parley", global_name: "Parley", bot: true };

function wire(change: object) {
  return messageSchema.parse({
    id: "900",
    channel_id: "5",
    guild_id: "1",
    type: MessageType.Default,
    content: "hello",
    timestamp: "2026-11-22T10:00:00.000Z",
    edited_timestamp: null,
    author: ANA,
    ...change,
  });
}

function read(change: object, channel = CHANNEL) {
  return readMessage(wire(change), { me: ME, channel, names: NAMES });
}

describe("who is meant", () => {
  test.each([
    ["plain words in a channel", {}, false],
    ["the bot's name", { content: `<@${ME}> hello`, mentions: [BOT] }, true],
    ["another bot's name", { content: "<@77> hello", mentions: [{ id: "77", username: "x" }] }, false],
    ["@everyone", { content: "@everyone hello", mention_everyone: true }, false],
    ["a role of the bot", { content: "<@&55> hello", mention_roles: ["55"] }, false],
    ["a reply to the bot", { type: MessageType.Reply, referenced_message: { author: BOT } }, true],
    ["a reply to somebody else", { type: MessageType.Reply, referenced_message: { author: ANA } }, false],
    ["a reply to a message that is gone", { type: MessageType.Reply, referenced_message: null }, false],
  ])("%s: addressed is %3$s", (_what, change, addressed) => {
    expect(read(change)?.addressed).toBe(addressed);
  });

  test("everything in a direct chat is for the bot", () => {
    expect(read({ guild_id: null }, { id: "5", kind: "direct", name: "" })).toMatchObject({
      addressed: true,
      direct: true,
      conversationId: "discord:5",
    });
  });
});

describe("what is words", () => {
  test.each([
    ["a join", { type: MessageType.UserJoin }],
    ["a pin", { type: MessageType.ChannelPinnedMessage }],
    ["the head of a thread", { type: MessageType.ThreadStarterMessage }],
    ["a new thread", { type: MessageType.ThreadCreated }],
    ["the bot's own message", { author: BOT }],
    ["the bot's answer to a command", { author: BOT, type: MessageType.ChatInputCommand }],
  ])("%s is no message", (_what, change) => {
    expect(read(change)).toBeUndefined();
  });

  test.each([
    ["a bot", { author: { id: "8", username: "other", bot: true } }],
    ["a webhook", { webhook_id: "66", author: { id: "66", username: "ci" } }],
    ["Discord itself", { author: { id: "9", username: "Discord", system: true } }],
  ])("%s is marked as a bot", (_what, change) => {
    expect(read(change)?.author.isBot).toBe(true);
  });

  test("a person is called as the server calls them, else by their display name, else by their user name", () => {
    expect(read({ member: { nick: "Annie" } })?.author).toEqual({ id: "discord:7", name: "Annie", isBot: false });
    expect(read({ member: { nick: null } })?.author.name).toBe("Ana");
    expect(read({ author: { id: "7", username: "ana_", global_name: null } })?.author.name).toBe("ana_");
  });
});

describe("text", () => {
  test.each([
    [`<@${ME}> hello`, "hello"],
    [`<@!${ME}>, hello`, "hello"],
    [`hello <@${ME}> there`, "hello there"],
    [`<@${ME}>   /status`, "/status"],
    ["ask <@7> and <@99>", "ask @Ana and @someone"],
    ["look in <#5> or <#6>", "look in #general or #channel"],
    ["<@&3> look", "@role look"],
    ["nice <:thumb:123> <a:dance:5>", "nice :thumb: :dance:"],
    ["use </schedule add:12>", "use /schedule add"],
    ["two\n\nlines", "two\n\nlines"],
    ["`a <b> c`", "`a <b> c`"],
  ])("%j reads %j", (content, text) => {
    expect(read({ content, mentions: [{ ...ANA, member: { nick: null } }] })?.text).toBe(text);
  });

  test("a forwarded message comes with its words and files", () => {
    const file = { id: "31", filename: "plan.pdf", size: 10, url: "https://cdn.discordapp.com/x", content_type: null };
    const message = read({
      content: "",
      message_snapshots: [{ message: { content: "see <@7>", mentions: [ANA], attachments: [file] } }],
    });
    expect(message?.text).toBe("Forwarded message:\nsee @Ana");
    expect(message?.files).toEqual([
      { name: "plan.pdf", mimeType: "application/octet-stream", bytes: 10, ref: "5/900/31" },
    ]);
  });

  test("a message without words says so, unless a file speaks for it", () => {
    expect(read({ content: `<@${ME}>` })?.text).toBe("(a message without words)");
    const attachments = [{ id: "30", filename: "a.png", size: 4, url: "https://cdn.discordapp.com/a" }];
    expect(read({ content: `<@${ME}>`, attachments })?.text).toBe("");
  });

  test("a sticker is named", () => {
    expect(read({ content: "", sticker_items: [{ name: "Wave" }] })?.text).toBe("(sticker: Wave)");
  });
});

test("a file is named without its signed address", () => {
  const attachments = [
    {
      id: "30",
      filename: "voice-message.ogg",
      size: 4,
      url: "https://cdn.discordapp.com/a?hm=secret",
      content_type: "audio/ogg",
    },
  ];
  expect(read({ attachments })?.files).toEqual([
    { name: "voice-message.ogg", mimeType: "audio/ogg", bytes: 4, ref: "5/900/30" },
  ]);
});

describe("places", () => {
  test("a thread is a conversation of its own within its channel's chat", () => {
    const thread: ChannelFacts = { id: "6", kind: "thread", name: "t", parentId: "5" };
    expect(placeOf(thread)).toEqual({ conversationId: "discord:6", chat: "discord:5", direct: false });
    expect(read({ channel_id: "6" }, thread)?.thread).toBe(true);
  });

  test("a channel is its own chat", () => {
    expect(placeOf(CHANNEL)).toEqual({ conversationId: "discord:5", chat: "discord:5", direct: false });
  });
});

test("only what the author changed is an edit, not the preview of a link", () => {
  expect(isEdit(wire({ edited_timestamp: "2026-11-22T10:01:00.000Z" }))).toBe(true);
  expect(isEdit(wire({}))).toBe(false);
});
