import type { ConversationId } from "../../kernel/ids.ts";
import type { PlatformMessage, Press, Speaker } from "../listening.ts";
import { conversationOf, speakerId } from "./chats.ts";
import { contentLine, forwardLine, nameOfUser } from "./content-lines.ts";
import { incomingFiles } from "./incoming-files.ts";
import { readText, type BotAccount } from "./message-text.ts";
import type { PressedMessage, TelegramMessage, TelegramUpdate, TelegramUser } from "./update-schema.ts";

/** What an update means. */
export type TelegramEvent =
  | {
      readonly kind: "message";
      readonly message: PlatformMessage;
      /** Which album it is a part of. */
      readonly album: string | undefined;
    }
  | {
      readonly kind: "edited";
      readonly conversationId: ConversationId;
      readonly id: string;
      readonly text: string;
      readonly album: string | undefined;
    }
  | {
      readonly kind: "press";
      readonly callback: string;
      /** Absent when nothing can be done with it. */
      readonly press: Press | undefined;
      readonly message: PressedMessage | undefined;
    }
  /** A group became a supergroup, with a new id. */
  | { readonly kind: "moved"; readonly from: number; readonly to: number }
  | { readonly kind: "nothing"; readonly why: string };

export interface ReadContext {
  readonly bot: BotAccount;
  /** The chat by which the conversation is known; it differs from the update's after a move. */
  readonly home: number;
  readonly now: number;
}

/** The chat an update is about. */
export function chatOf({
  message,
  edited_message,
  callback_query,
  my_chat_member,
}: TelegramUpdate): number | undefined {
  return (message ?? edited_message ?? callback_query?.message ?? my_chat_member)?.chat.id;
}

/** Names the album an update is a part of, or nothing. */
export function albumOf({ message }: TelegramUpdate): string | undefined {
  return message?.media_group_id === undefined ? undefined : `${message.chat.id}:${message.media_group_id}`;
}

/** Reads an update. Pure; an update that this bot has no use for is `nothing`, with the reason. */
export function readUpdate(update: TelegramUpdate, context: ReadContext): TelegramEvent {
  if (update.callback_query !== undefined) return readPress(update.callback_query, context);
  if (update.edited_message !== undefined) return readEdit(update.edited_message, context);
  if (update.message !== undefined) return readMessage(update.message, context);
  if (update.my_chat_member !== undefined) {
    const { chat, new_chat_member: member } = update.my_chat_member;
    return { kind: "nothing", why: `the bot is ${member.status} in the chat ${chat.id} now` };
  }
  return { kind: "nothing", why: "it is of a kind that was not asked for" };
}

function readMessage(message: TelegramMessage, context: ReadContext): TelegramEvent {
  const { chat } = message;
  if (message.migrate_to_chat_id !== undefined) return { kind: "moved", from: chat.id, to: message.migrate_to_chat_id };
  if (message.migrate_from_chat_id !== undefined)
    return { kind: "moved", from: message.migrate_from_chat_id, to: chat.id };
  if (chat.type === "channel") return { kind: "nothing", why: "it is a post in a channel" };
  const author = authorOf(message);
  if (author === undefined) return { kind: "nothing", why: "it has no author" };
  const read = readText(message, context.bot);
  if (read.command === "other") return { kind: "nothing", why: "it is a command for another bot" };
  const files = incomingFiles(message);
  const text = wholeText(message, read.text);
  if (text === "" && files.length === 0 && !read.mentioned)
    return { kind: "nothing", why: "it says nothing: a notice of the chat" };
  const direct = chat.type === "private";
  return {
    kind: "message",
    album: message.media_group_id,
    message: {
      ...placeOf(message, context),
      id: String(message.message_id),
      author,
      text,
      files,
      addressed: direct || read.mentioned || read.command === "ours" || repliesTo(message, context.bot),
      // A topic is a room for everybody like the group itself: the bot answers there when it is meant.
      thread: false,
      at: message.date * 1000,
    },
  };
}

function wholeText(message: TelegramMessage, text: string): string {
  const lines = [forwardLine(message), contentLine(message), text === "" ? undefined : text];
  return lines.filter((line) => line !== undefined).join("\n");
}

function placeOf(
  message: Pick<TelegramMessage, "chat" | "message_thread_id" | "is_topic_message">,
  { home }: ReadContext,
): Pick<PlatformMessage, "conversationId" | "chat" | "direct"> {
  // Without the second field the first one only names a chain of replies.
  const topic = message.is_topic_message === true ? message.message_thread_id : undefined;
  return {
    conversationId: conversationOf(home, topic),
    chat: conversationOf(home, undefined),
    direct: message.chat.type === "private",
  };
}

/** Who speaks for a whole chat (an anonymous admin, a channel) is nobody whose rights could be looked up: as a bot. */
function authorOf({ from, sender_chat: sender }: TelegramMessage): Speaker | undefined {
  if (sender !== undefined) return { id: speakerId(sender.id), name: sender.title ?? String(sender.id), isBot: true };
  return from === undefined ? undefined : speakerOf(from);
}

function speakerOf(user: TelegramUser): Speaker {
  return { id: speakerId(user.id), name: nameOfUser(user), isBot: user.is_bot };
}

function repliesTo({ reply_to_message: reply }: TelegramMessage, bot: BotAccount): boolean {
  // Everything in a topic "replies" to the notice that opened it.
  return reply?.from?.id === bot.id && reply.forum_topic_created === undefined;
}

function readEdit(message: TelegramMessage, context: ReadContext): TelegramEvent {
  if (message.location !== undefined) return { kind: "nothing", why: "a place that moves" };
  if (message.chat.type === "channel") return { kind: "nothing", why: "it is a post in a channel" };
  const { text, command } = readText(message, context.bot);
  if (command === "other") return { kind: "nothing", why: "it is a command for another bot" };
  return {
    kind: "edited",
    conversationId: placeOf(message, context).conversationId,
    id: String(message.message_id),
    text: wholeText(message, text),
    album: message.media_group_id,
  };
}

function readPress(callback: NonNullable<TelegramUpdate["callback_query"]>, context: ReadContext): TelegramEvent {
  const { id, from, message, data } = callback;
  if (message === undefined || data === undefined) return { kind: "press", callback: id, press: undefined, message };
  const press = { ...placeOf(message, context), token: data, by: speakerOf(from), id, at: context.now };
  return { kind: "press", callback: id, press, message };
}
