import { expect, test } from "vitest";
import { readEvent, toMessage } from "./events.ts";

const SELF = { user: "UBOT", bot: "BBOT", team: "T1" };
const TS = "1700000000.000100";
const ROOT = "1699999999.000100";
const base = { type: "message", channel: "C1", channel_type: "channel", user: "U1", ts: TS, text: "hi" };

const messages: readonly {
  readonly what: string;
  readonly event: object;
  readonly conversation: string;
  readonly addressed: boolean;
  readonly thread: boolean;
}[] = [
  { what: "a word in a channel", event: base, conversation: `slack:C1:${TS}`, addressed: false, thread: true },
  {
    what: "a mention",
    event: { ...base, type: "app_mention", channel_type: undefined, text: "<@UBOT> hi" },
    conversation: `slack:C1:${TS}`,
    addressed: true,
    thread: true,
  },
  {
    what: "the message of that mention",
    event: { ...base, text: "<@UBOT> hi" },
    conversation: `slack:C1:${TS}`,
    addressed: true,
    thread: true,
  },
  {
    what: "a follow-up in a thread",
    event: { ...base, thread_ts: ROOT },
    conversation: `slack:C1:${ROOT}`,
    addressed: false,
    thread: true,
  },
  {
    what: "a thread's answer that was also sent to the channel",
    event: { ...base, subtype: "thread_broadcast", thread_ts: ROOT },
    conversation: `slack:C1:${ROOT}`,
    addressed: false,
    thread: true,
  },
  {
    what: "a direct message",
    event: { ...base, channel: "D1", channel_type: "im" },
    conversation: "slack:D1",
    addressed: true,
    thread: false,
  },
  {
    what: "a message in the assistant's pane",
    event: { ...base, channel: "D1", channel_type: "im", thread_ts: ROOT },
    conversation: `slack:D1:${ROOT}`,
    addressed: true,
    thread: false,
  },
  {
    what: "a message among several people",
    event: { ...base, channel: "G1", channel_type: "mpim" },
    conversation: `slack:G1:${TS}`,
    addressed: false,
    thread: true,
  },
  {
    what: "a message with a file",
    event: { ...base, subtype: "file_share", files: [{ id: "F1" }] },
    conversation: `slack:C1:${TS}`,
    addressed: false,
    thread: true,
  },
];

test.each(messages)("$what is of $conversation", ({ event, conversation, addressed, thread }) => {
  const happening = readEvent(event, SELF);

  if (happening.kind !== "said") throw new Error(`it is ${happening.kind}`);
  expect(toMessage(happening.said, SELF, () => "Ana")).toMatchObject({
    id: TS,
    conversationId: conversation,
    addressed,
    thread,
    text: "hi",
    author: { id: "slack:U1", name: "Ana", isBot: false },
    at: 1_700_000_000_000,
  });
});

const edit = {
  ...base,
  subtype: "message_changed",
  user: undefined,
  text: undefined,
  message: { user: "U1", ts: TS, text: "new", edited: { user: "U1", ts: "1.2" } },
  previous_message: { user: "U1", ts: TS, text: "old" },
};
const deletion = { ...base, subtype: "message_deleted", user: undefined, text: undefined, deleted_ts: TS };
const thread = { thread_ts: ROOT };

const others: readonly { readonly what: string; readonly event: object; readonly is: object }[] = [
  { what: "an edit", event: edit, is: { kind: "edited", conversationId: `slack:C1:${TS}`, id: TS, raw: "new" } },
  {
    what: "an edit in a thread",
    event: { ...edit, message: { ...edit.message, ...thread } },
    is: { kind: "edited", conversationId: `slack:C1:${ROOT}`, id: TS },
  },
  {
    what: "a link that was given a preview",
    event: { ...edit, message: { ...edit.message, edited: undefined, text: "old" } },
    is: { kind: "nothing" },
  },
  {
    what: "a reply that changed its thread's first message",
    event: { ...edit, message: { ...edit.message, text: "old", reply_count: 1 } },
    is: { kind: "nothing" },
  },
  {
    what: "an edit of the bot's own message",
    event: { ...edit, message: { ...edit.message, user: "UBOT" } },
    is: { kind: "nothing" },
  },
  { what: "a deletion", event: deletion, is: { kind: "deleted", conversationId: `slack:C1:${TS}`, id: TS } },
  {
    what: "a deletion in a thread",
    event: { ...deletion, previous_message: { ts: TS, ...thread } },
    is: { kind: "deleted", conversationId: `slack:C1:${ROOT}`, id: TS },
  },
  {
    what: "a deleted message that keeps its replies",
    event: { ...edit, message: { subtype: "tombstone", ts: TS, text: "This message was deleted.", ...thread } },
    is: { kind: "deleted", conversationId: `slack:C1:${ROOT}`, id: TS },
  },
  {
    what: "the bot's own message",
    event: { ...base, user: "UBOT", bot_id: "BBOT" },
    is: { kind: "nothing" },
  },
  { what: "somebody who joined", event: { ...base, subtype: "channel_join" }, is: { kind: "nothing" } },
  { what: "a message without anything in it", event: { ...base, text: "" }, is: { kind: "nothing" } },
  {
    what: "another app's message",
    event: { ...base, user: undefined, bot_id: "B2", subtype: "bot_message", username: "Builder" },
    is: { kind: "said", said: { user: "B2", isBot: true, name: "Builder" } },
  },
  {
    what: "the assistant's pane",
    event: { type: "assistant_thread_started", assistant_thread: { channel_id: "D1", thread_ts: ROOT } },
    is: { kind: "pane-opened", channel: "D1", thread: ROOT },
  },
  { what: "something unknown", event: { type: "tea_time", channel: 4 }, is: { kind: "nothing" } },
  { what: "nothing at all", event: {}, is: { kind: "nothing" } },
];

test.each(others)("$what", ({ event, is }) => {
  expect(readEvent(event, SELF)).toMatchObject(is);
});

test("files that are gone or hidden do not come along", () => {
  const files = [
    { id: "F1", name: "a.txt", mimetype: "text/plain", size: 3 },
    { id: "F2", mode: "tombstone" },
    { id: "F3", mode: "hidden_by_limit" },
    { id: "F4", name: null, title: "Notes", size: null },
  ];
  const happening = readEvent({ ...base, files }, SELF);

  if (happening.kind !== "said") throw new Error(`it is ${happening.kind}`);
  expect(toMessage(happening.said, SELF, () => undefined).files).toEqual([
    { name: "a.txt", mimeType: "text/plain", bytes: 3, ref: "F1" },
    { name: "Notes", mimeType: "application/octet-stream", bytes: 0, ref: "F4" },
  ]);
});
