import { parseConversationId, parseWorkspaceId, type ConversationId, type WorkspaceId } from "../../kernel/ids.ts";

const PREFIX = "discord:";

/** The conversation of a channel, a thread or a direct chat. */
export function conversationOf(channelId: string): ConversationId {
  return parseConversationId(`${PREFIX}${channelId}`);
}

/** The channel, thread or direct chat in which a conversation takes place. */
export function channelOf(conversation: ConversationId): string {
  return conversation.slice(PREFIX.length);
}

/** The workspace of a Discord account. */
export function personOf(userId: string): WorkspaceId {
  return parseWorkspaceId(`${PREFIX}${userId}`);
}
