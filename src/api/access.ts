import type { ConversationView, Door } from "../agent/door-contract.ts";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import { PLATFORMS } from "../kernel/messages.ts";
import { forbidden, notFound } from "./errors.ts";
import type { Caller } from "./parts.ts";

type Look = Pick<Door, "conversation">;

/** Throws unless the caller may act for this person. */
export function requirePerson(caller: Caller, userId: WorkspaceId): void {
  if (caller.userId !== undefined && caller.userId !== userId && caller.linkedTo !== userId)
    throw forbidden("This API key is bound to another user_id");
}

/** The conversation, if there is one and it is the caller's to see; throws `not_found` for both alike. */
export async function getConversation(door: Look, caller: Caller, id: ConversationId): Promise<ConversationView> {
  const conversation = await door.conversation(id);
  if (conversation === undefined || !isOf(caller, conversation))
    throw notFound(`There is no conversation ${JSON.stringify(id)}`);
  return conversation;
}

/** Throws unless the caller may put a message there. Asks nothing for a key that is not bound to a person. */
export async function requireMaySpeak(door: Look, caller: Caller, id: ConversationId): Promise<void> {
  if (caller.userId === undefined) return;
  const conversation = await door.conversation(id);
  const allowed = conversation === undefined ? mayBegin(caller.userId, id) : isOf(caller, conversation);
  if (!allowed) throw forbidden("This API key is bound to a user_id whose conversation this is not");
}

/**
 * Throws unless the caller may watch what happens there. One may watch before the first message; a bound key only its
 * own default conversation or one of the web page, whose ids are long and random, because any other could become
 * somebody else's.
 */
export async function requireMayWatch(door: Look, caller: Caller, id: ConversationId): Promise<void> {
  if (caller.userId === undefined) return;
  const conversation = await door.conversation(id);
  const own = id === defaultConversation(caller.userId) || id === `terminal:${caller.userId}` || id.startsWith("web:");
  const allowed = conversation === undefined ? own : isOf(caller, conversation);
  if (!allowed) throw notFound(`There is no conversation ${JSON.stringify(id)}`);
}

/** Where a person's messages go when the caller names no conversation; may be too long to be an id. */
export function defaultConversation(userId: WorkspaceId): string {
  return `api:${userId}`;
}

/** Whether a key bound to this person may begin a conversation with this id: not in the name of an account elsewhere. Pure. */
export function mayBegin(userId: WorkspaceId, id: ConversationId): boolean {
  if (id.startsWith("web:") || id.startsWith("terminal:")) return true;
  const ofPlatform = PLATFORMS.some((platform) => id === platform || id.startsWith(`${platform}:`));
  return !ofPlatform || id === defaultConversation(userId);
}

function isOf(caller: Caller, conversation: Pick<ConversationView, "owner">): boolean {
  const { owner } = conversation;
  return caller.userId === undefined || caller.userId === owner || caller.linkedTo === owner;
}
