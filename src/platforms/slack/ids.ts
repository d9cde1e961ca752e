import { type ConversationId, parseConversationId, parseWorkspaceId, type WorkspaceId } from "../../kernel/ids.ts";

/** Where something is posted: a channel (or direct chat), and a thread of it. */
export interface Spot {
  readonly channel: string;
  readonly thread: string | undefined;
}

/** The conversation of a channel or of one of its threads: `slack:C042`, `slack:C042:171.5`. */
export function conversationAt({ channel, thread }: Spot): ConversationId {
  return parseConversationId(thread === undefined ? `slack:${channel}` : `slack:${channel}:${thread}`);
}

/** The channel and thread that a conversation of this platform names. */
export function spotOf(conversation: ConversationId): Spot {
  const [, channel = "", thread] = conversation.split(":");
  return { channel, thread };
}

/** A person's account: `slack:U042`. */
export const accountOf = (user: string): WorkspaceId => parseWorkspaceId(`slack:${user}`);

/** The chat around a conversation, as allow-lists name it. */
export const chatOf = (channel: string): string => `slack:${channel}`;

/** Slack gives direct chats ids of their own kind. */
export const isDirect = (channel: string): boolean => channel.startsWith("D");

/** Slack's name of a message, `1700000000.000100`, as milliseconds since 1970. */
export const timeOf = (ts: string): number => Math.floor(Number(ts) * 1_000);
