import { z } from "zod";
import type { ConversationId } from "../../kernel/ids.ts";
import type { IncomingRef, PlatformMessage } from "../listening.ts";
import { accountOf, chatOf, conversationAt, isDirect, spotOf, timeOf } from "./ids.ts";
import { type SlackFile, type SlackMessage, slackMessageSchema } from "./methods.ts";
import { mentioned, readCommand, readText } from "./text.ts";

/** The bot's own account. */
export interface Self {
  readonly user: string;
  readonly bot: string | undefined;
  readonly team: string | undefined;
}

/** A message before the names in it are known. */
export interface Said {
  readonly channel: string;
  readonly thread: string | undefined;
  readonly ts: string;
  readonly user: string;
  readonly isBot: boolean;
  /** As a bot calls itself; people are looked up. */
  readonly name: string | undefined;
  readonly raw: string;
  readonly files: readonly SlackFile[];
  readonly direct: boolean;
  readonly mention: boolean;
}

/** What an event means for us. */
export type Happening =
  | { readonly kind: "said"; readonly said: Said }
  | { readonly kind: "edited"; readonly conversationId: ConversationId; readonly id: string; readonly raw: string }
  | { readonly kind: "deleted"; readonly conversationId: ConversationId; readonly id: string }
  /** A person opened the assistant's pane: a new thread in the direct chat. */
  | { readonly kind: "pane-opened"; readonly channel: string; readonly thread: string }
  | { readonly kind: "nothing" };

/** The channel that something happened in. */
export function channelOf(happening: Happening): string {
  if (happening.kind === "said") return happening.said.channel;
  if (happening.kind === "pane-opened") return happening.channel;
  return happening.kind === "nothing" ? "" : spotOf(happening.conversationId).channel;
}

const NOTHING: Happening = { kind: "nothing" };

const inner = slackMessageSchema.partial({ ts: true });
const eventSchema = z.discriminatedUnion("type", [
  slackMessageSchema.extend({
    type: z.enum(["message", "app_mention"]),
    channel: z.string(),
    channel_type: z.string().optional(),
    message: inner.optional(),
    previous_message: inner.optional(),
    deleted_ts: z.string().optional(),
  }),
  z.object({
    type: z.literal("assistant_thread_started"),
    assistant_thread: z.object({ channel_id: z.string(), thread_ts: z.string() }),
  }),
]);

/** Reads an event of the Events API. A mention and the message that holds it read the same. Pure. */
export function readEvent(event: unknown, self: Self): Happening {
  const parsed = eventSchema.safeParse(event).data;
  if (parsed === undefined) return NOTHING;
  if (parsed.type === "assistant_thread_started") {
    const { channel_id: channel, thread_ts: thread } = parsed.assistant_thread;
    return { kind: "pane-opened", channel, thread };
  }
  const { channel, channel_type: kind, message, previous_message: before } = parsed;
  const direct = kind === undefined ? isDirect(channel) : kind === "im";
  const at = (ts: string, thread: string | undefined) =>
    conversationAt({ channel, thread: threadOf(ts, thread, direct) });
  switch (parsed.subtype) {
    case "message_changed": {
      if (message?.ts === undefined || isOwn(message, self)) return NOTHING;
      const conversationId = at(message.ts, message.thread_ts);
      if (message.subtype === "tombstone") return { kind: "deleted", conversationId, id: message.ts };
      // Slack also tells of previews, replies and reactions this way: only the author's own change is an edit.
      if (message.edited === undefined || message.text === before?.text) return NOTHING;
      return { kind: "edited", conversationId, id: message.ts, raw: message.text };
    }
    case "message_deleted": {
      const id = parsed.deleted_ts;
      if (id === undefined || (before !== undefined && isOwn(before, self))) return NOTHING;
      return { kind: "deleted", conversationId: at(id, before?.thread_ts), id };
    }
    default: {
      const said = readMessage(parsed, channel, self, direct);
      return said === undefined ? NOTHING : { kind: "said", said };
    }
  }
}

/** The subtypes in which somebody says something; the others tell of things that happened in the channel. */
const SPEECH: ReadonlySet<string | undefined> = new Set([
  undefined,
  "file_share",
  "thread_broadcast",
  "me_message",
  "bot_message",
]);

/** Reads a message of a channel, from an event or a history; undefined when nobody said anything, or the bot itself. */
export function readMessage(
  message: SlackMessage,
  channel: string,
  self: Self,
  direct = isDirect(channel),
): Said | undefined {
  const user = message.user ?? message.bot_id;
  if (user === undefined || !SPEECH.has(message.subtype) || isOwn(message, self)) return undefined;
  const files = (message.files ?? []).filter(({ mode }) => mode !== "tombstone" && mode !== "hidden_by_limit");
  if (message.text === "" && files.length === 0) return undefined;
  return {
    channel,
    thread: message.thread_ts,
    ts: message.ts,
    user,
    isBot: message.bot_id !== undefined || message.subtype === "bot_message",
    name: message.username,
    raw: message.text,
    files,
    direct,
    mention: mentioned(message.text).includes(self.user),
  };
}

/** The message in the form all platforms share, its names filled in. Pure. */
export function toMessage(said: Said, self: Self, nameOf: (user: string) => string | undefined): PlatformMessage {
  const { channel, ts, direct, mention } = said;
  const thread = threadOf(ts, said.thread, direct);
  return {
    id: ts,
    conversationId: conversationAt({ channel, thread }),
    chat: chatOf(channel),
    direct,
    author: { id: accountOf(said.user), name: nameOf(said.user) ?? said.name ?? said.user, isBot: said.isBot },
    text: readCommand(readText(said.raw, { self: self.user, nameOf }), mention),
    files: said.files.map(toRef),
    addressed: direct || mention,
    thread: thread !== undefined && !direct,
    at: timeOf(ts),
  };
}

/** Outside direct chats every message that begins nothing yet may begin a thread: its own. */
function threadOf(ts: string, thread: string | undefined, direct: boolean): string | undefined {
  return thread ?? (direct ? undefined : ts);
}

function isOwn(message: Pick<SlackMessage, "user" | "bot_id">, self: Self): boolean {
  return message.user === self.user || (self.bot !== undefined && message.bot_id === self.bot);
}

function toRef(file: SlackFile): IncomingRef {
  return {
    name: file.name ?? file.title ?? file.id,
    mimeType: file.mimetype ?? "application/octet-stream",
    bytes: file.size ?? 0,
    ref: file.id,
  };
}
