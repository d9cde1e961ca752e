import { expect, test } from "vitest";
import { readUpdate } from "./read-update.ts";
import { updateSchema } from "./update-schema.ts";

const ANA = { id: 7, is_bot: false, first_name: "Ana", last_name: "Silva" };
const BOT = { id: 99, username: "parley_bot" };
const US = { id: 99, is_bot: true, first_name: "Parley", username: "parley_bot" };
const PRIVATE = { id: 7, type: "private", first_name: "Ana" };
const GROUP = { id: -1005, type: "supergroup", title: "Team" };

/** What the message of an update says, or why it is nothing. */
function read(message: object, home?: number) {
  const update = updateSchema.parse({
    update_id: 1,
    message: { message_id: 12, date: 100, chat: PRIVATE, from: ANA, ...message },
  });
  const event = readUpdate(update, { bot: BOT, home: home ?? update.message?.chat.id ?? 0, now: 5 });
  return event.kind === "message" ? event.message : event;
}

const mention = (offset: number, length = 11) => [{ type: "mention", offset, length }];
const command = (length: number, offset = 0) => [{ type: "bot_command", offset, length }];

test.each([
  { said: "hello", entities: [], text: "hello", addressed: false },
  { said: "@parley_bot hello", entities: mention(0), text: "hello", addressed: true },
  { said: "@Parley_Bot, hello", entities: mention(0), text: "hello", addressed: true },
  { said: "ask @parley_bot, it knows", entities: mention(4), text: "ask, it knows", addressed: true },
  { said: "so @parley_bot what now?", entities: mention(3), text: "so what now?", addressed: true },
  { said: "well? @parley_bot", entities: mention(6), text: "well?", addressed: true },
  { said: "🙂🙂 @parley_bot", entities: mention(5), text: "🙂🙂", addressed: true },
  { said: "@parley_bot", entities: mention(0), text: "", addressed: true },
  { said: "@other_bot1 hi", entities: mention(0), text: "@other_bot1 hi", addressed: false },
  { said: "mail me@parley_bot", entities: [], text: "mail me@parley_bot", addressed: false },
  {
    said: "Parley, hello",
    entities: [{ type: "text_mention", offset: 0, length: 6, user: US }],
    text: "hello",
    addressed: true,
  },
  { said: "/status", entities: command(7), text: "/status", addressed: true },
  { said: "/status@parley_bot now", entities: command(18), text: "/status now", addressed: true },
  { said: "/status@PARLEY_BOT", entities: command(18), text: "/status", addressed: true },
  {
    said: "@parley_bot /status",
    entities: [...mention(0), ...command(7, 12)],
    text: "/status",
    addressed: true,
  },
  { said: "see /status", entities: command(7, 4), text: "see /status", addressed: false },
  { said: "/usr/bin is a path", entities: [], text: "/usr/bin is a path", addressed: false },
  { said: "/start", entities: command(6), text: "/help", addressed: true },
  { said: "/start@parley_bot", entities: command(17), text: "/help", addressed: true },
  { said: "/start link-AB12_c-d", entities: command(6), text: "/link AB12_c-d", addressed: true },
  { said: "/start somewhere-else", entities: command(6), text: "/help", addressed: true },
])("in a group $said: $text, addressed: $addressed", ({ said, entities, text, addressed }) => {
  expect(read({ chat: GROUP, text: said, entities })).toMatchObject({ text, addressed, direct: false });
});

test("in a private chat everything is for the bot, and the chat is the person's", () => {
  expect(read({ text: "hello" })).toEqual({
    conversationId: "telegram:7",
    chat: "telegram:7",
    direct: true,
    id: "12",
    author: { id: "telegram:7", name: "Ana Silva", isBot: false },
    text: "hello",
    files: [],
    addressed: true,
    thread: false,
    at: 100_000,
  });
});

test.each([
  ["a reply to the bot", { reply_to_message: { message_id: 5, from: US } }, true],
  ["a reply to somebody else", { reply_to_message: { message_id: 5, from: ANA } }, false],
  [
    "a message in a topic that the bot opened",
    {
      reply_to_message: { message_id: 5, from: US, forum_topic_created: {} },
      message_thread_id: 5,
      is_topic_message: true,
    },
    false,
  ],
])("%s: addressed is as it should be", (_, more, addressed) => {
  expect(read({ chat: GROUP, text: "and now?", ...more })).toMatchObject({ addressed });
});

test("a topic is a conversation of its own in its chat, a chain of replies is not", () => {
  expect(read({ chat: GROUP, text: "x", message_thread_id: 8, is_topic_message: true })).toMatchObject({
    conversationId: "telegram:-1005:8",
    chat: "telegram:-1005",
  });
  expect(read({ chat: GROUP, text: "x", message_thread_id: 8 })).toMatchObject({ conversationId: "telegram:-1005" });
});

test("after a move the conversation is that of the old chat", () => {
  expect(read({ chat: GROUP, text: "x" }, -42)).toMatchObject({ conversationId: "telegram:-42", chat: "telegram:-42" });
});

test.each([
  ["a place", { location: { latitude: 52.5, longitude: 13.4 } }, "[location 52.5, 13.4]"],
  [
    "a venue",
    {
      location: { latitude: 1, longitude: 2 },
      venue: { location: { latitude: 1, longitude: 2 }, title: "Café", address: "Main St 1" },
    },
    "[place: Café, Main St 1 (1, 2)]",
  ],
  ["a contact", { contact: { phone_number: "+341", first_name: "Bo" } }, "[contact: Bo, +341]"],
  [
    "a poll",
    { poll: { question: "When?", options: [{ text: "Now" }, { text: "Later" }] } },
    "[poll: When? — Now / Later]",
  ],
  ["a sticker", { sticker: { emoji: "😀" } }, "[sticker 😀]"],
  ["a sticker without an emoji", { sticker: {} }, "[sticker]"],
  ["a die", { dice: { emoji: "🎲", value: 4 } }, "[🎲 4]"],
  ["a story", { story: {} }, "[story, which cannot be read here]"],
  ["paid media", { paid_media: {} }, "[paid media, which cannot be read here]"],
  [
    "a forwarded text",
    { text: "hi", forward_origin: { type: "user", sender_user: ANA } },
    "[forwarded from Ana Silva]\nhi",
  ],
  ["one of a hidden person", { text: "hi", forward_origin: { sender_user_name: "Bo" } }, "[forwarded from Bo]\nhi"],
  [
    "one of a channel",
    { text: "hi", forward_origin: { chat: { id: -1, type: "channel", title: "News" } } },
    "[forwarded from News]\nhi",
  ],
  [
    "a forwarded command, which is none",
    { text: "/reset", entities: command(6), forward_origin: {} },
    "[forwarded]\n/reset",
  ],
  ["a caption", { photo: [], caption: "look" }, "look"],
  ["a caption with a command", { photo: [], caption: "/task do it", caption_entities: command(5) }, "/task do it"],
])("%s reads %j", (_, content, text) => {
  expect(read(content)).toMatchObject({ text });
});

const FILE = { file_id: "F", file_unique_id: "u", file_size: 9 };

test.each([
  [
    "the largest photo",
    {
      photo: [
        { ...FILE, file_id: "L", width: 90, height: 90 },
        { ...FILE, file_id: "S", width: 9, height: 9 },
      ],
    },
    { name: "photo-12.jpg", mimeType: "image/jpeg", bytes: 9, ref: "L" },
  ],
  [
    "a document with its name",
    { document: { ...FILE, file_name: "a.pdf", mime_type: "application/pdf" } },
    { name: "a.pdf", mimeType: "application/pdf", bytes: 9, ref: "F" },
  ],
  [
    "a voice note",
    { voice: { ...FILE, mime_type: "audio/ogg" } },
    { name: "voice-12.ogg", mimeType: "audio/ogg", bytes: 9, ref: "F" },
  ],
  [
    "music",
    { audio: { ...FILE, file_name: "song.mp3" } },
    { name: "song.mp3", mimeType: "audio/mpeg", bytes: 9, ref: "F" },
  ],
  ["a video", { video: FILE }, { name: "video-12.mp4", mimeType: "video/mp4", bytes: 9, ref: "F" }],
  ["a round video", { video_note: FILE }, { name: "video-note-12.mp4", mimeType: "video/mp4", bytes: 9, ref: "F" }],
  [
    "an animation, once, although it comes as a document too",
    { animation: { ...FILE, mime_type: "video/mp4" }, document: FILE },
    { name: "file-12", mimeType: "video/mp4", bytes: 9, ref: "F" },
  ],
  [
    "a file of unknown size",
    { document: { file_id: "F" } },
    { name: "file-12", mimeType: "application/octet-stream", bytes: 0, ref: "F" },
  ],
])("%s is a file of the message", (_, content, file) => {
  expect(read(content)).toMatchObject({ files: [file] });
});

test.each([
  ["who joined", { new_chat_members: [ANA] }],
  ["a pinned message", { pinned_message: { message_id: 1 } }],
  ["a command for another bot", { chat: GROUP, text: "/go@other_bot", entities: command(13) }],
  ["a post in a channel", { chat: { id: -3, type: "channel", title: "News" }, text: "news" }],
  ["a message without an author", { from: undefined, text: "x" }],
])("%s is nothing", (_, content) => {
  expect(read(content)).toMatchObject({ kind: "nothing" });
});

test.each([
  ["a bot", { from: { ...ANA, is_bot: true } }, "telegram:7"],
  ["an anonymous admin", { chat: GROUP, from: { ...US, id: 1087968824 }, sender_chat: GROUP }, "telegram:-1005"],
  [
    "a channel that posts in its group",
    { chat: GROUP, sender_chat: { id: -8, type: "channel", title: "News" } },
    "telegram:-8",
  ],
])("%s counts as a bot, whom nobody answers", (_, more, id) => {
  expect(read({ text: "x", ...more })).toMatchObject({ author: { id, isBot: true } });
});

test("a part of a message that is not as expected counts as missing; the rest arrives", () => {
  expect(read({ text: "hello", forward_origin: "new form", photo: "?", entities: 5 })).toMatchObject({
    text: "hello",
    files: [],
  });
});

test("a group that became another is a move, told from both sides", () => {
  expect(read({ chat: { id: -42, type: "group", title: "T" }, migrate_to_chat_id: -1005 })).toEqual({
    kind: "moved",
    from: -42,
    to: -1005,
  });
  expect(read({ chat: GROUP, migrate_from_chat_id: -42 })).toEqual({ kind: "moved", from: -42, to: -1005 });
});

test("a press names the button, the person and the place; without a button or a message it is none", () => {
  const press = (more: object) =>
    readUpdate(
      updateSchema.parse({ update_id: 1, callback_query: { id: "4001", from: ANA, chat_instance: "1", ...more } }),
      {
        bot: BOT,
        home: -1005,
        now: 5,
      },
    );
  const message = { message_id: 3, date: 0, chat: GROUP, message_thread_id: 8, is_topic_message: true };
  expect(press({ data: "token", message })).toMatchObject({
    press: {
      token: "token",
      by: { id: "telegram:7" },
      id: "4001",
      at: 5,
      conversationId: "telegram:-1005:8",
      direct: false,
    },
  });
  expect(press({ data: "token" })).toMatchObject({ kind: "press", press: undefined });
  expect(press({ message, game_short_name: "x" })).toMatchObject({ kind: "press", press: undefined });
});

test("an edit has the id and the new words, as a message has them; a place that moves is none", () => {
  const edit = (message: object) =>
    readUpdate(
      updateSchema.parse({
        update_id: 1,
        edited_message: { message_id: 3, date: 1, chat: GROUP, from: ANA, ...message },
      }),
      { bot: BOT, home: -1005, now: 5 },
    );
  expect(edit({ text: "@parley_bot better", entities: mention(0) })).toMatchObject({
    kind: "edited",
    id: "3",
    text: "better",
  });
  expect(edit({ location: { latitude: 1, longitude: 2, live_period: 60 } })).toMatchObject({ kind: "nothing" });
});

test("the bot's own membership is only noted", () => {
  const update = { update_id: 1, my_chat_member: { chat: GROUP, from: ANA, new_chat_member: { status: "kicked" } } };
  expect(readUpdate(updateSchema.parse(update), { bot: BOT, home: 0, now: 0 })).toEqual({
    kind: "nothing",
    why: "the bot is kicked in the chat -1005 now",
  });
});
