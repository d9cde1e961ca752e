import { MessageType } from "discord.js";
import type { IncomingRef, Place, PlatformMessage, Speaker } from "../listening.ts";
import type { ChannelFacts } from "./channels.ts";
import { conversationOf, personOf } from "./ids.ts";
import { messageText, nameOf, type Names } from "./message-text.ts";
import type { WireMessage } from "./wire.ts";

/** What a message is read against. */
export interface Reading {
  /** The bot's own account. */
  readonly me: string;
  readonly channel: ChannelFacts;
  readonly names: Names;
}

/** Only these are words of people; the rest tells of joins, pins, new threads and the like. */
const WORDS = new Set<number>([MessageType.Default, MessageType.Reply]);

/** Reads a message; undefined for the bot's own and for what nobody wrote. The conversation is its channel's. Pure. */
export function readMessage(message: WireMessage, { me, channel, names }: Reading): PlatformMessage | undefined {
  if (!WORDS.has(message.type) || message.author.id === me) return undefined;
  const text = messageText(message, me, names);
  const files = filesOf(message);
  return {
    ...placeOf(channel),
    id: message.id,
    author: speakerOf(message),
    // Only the bot's name, or a poll: models refuse to be told nothing.
    text: text === "" && files.length === 0 ? "(a message without words)" : text,
    files,
    addressed: channel.kind === "direct" || isAddressed(message, me),
    thread: channel.kind === "thread",
    at: Date.parse(message.timestamp),
  };
}

/** True when a change of a message is one that its author made; previews of links arrive as changes as well. Pure. */
export function isEdit(message: Pick<WireMessage, "edited_timestamp" | "type">): boolean {
  return typeof message.edited_timestamp === "string" && WORDS.has(message.type);
}

/** Where somebody speaks in a channel. Pure. */
export function placeOf(channel: ChannelFacts): Place {
  return {
    conversationId: conversationOf(channel.id),
    chat: conversationOf(channel.kind === "thread" ? (channel.parentId ?? channel.id) : channel.id),
    direct: channel.kind === "direct",
  };
}

/** All files of a message, those of forwarded messages included. Pure. */
export function attachmentsOf({
  attachments,
  message_snapshots,
}: Pick<WireMessage, "attachments" | "message_snapshots">): WireMessage["attachments"] {
  return [...attachments, ...message_snapshots.flatMap(({ message }) => message.attachments)];
}

function filesOf(message: WireMessage): IncomingRef[] {
  return attachmentsOf(message).map((file) => ({
    name: file.filename,
    mimeType: file.content_type ?? "application/octet-stream",
    bytes: file.size,
    // The address of the file is signed and ends after a day: it is asked for again when the file is fetched.
    ref: `${message.channel_id}/${message.id}/${file.id}`,
  }));
}

function speakerOf({ author, member, webhook_id }: WireMessage): Speaker {
  return {
    id: personOf(author.id),
    name: nameOf(author, member?.nick),
    isBot: author.bot === true || author.system === true || typeof webhook_id === "string",
  };
}

// A mention of everybody or of a role calls people, not the bot: only its own name counts, and a reply to it.
function isAddressed(message: WireMessage, me: string): boolean {
  return message.mentions.some(({ id }) => id === me) || message.referenced_message?.author.id === me;
}
