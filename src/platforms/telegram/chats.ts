import { OutsideError } from "../../kernel/errors.ts";
import { parseConversationId, parseWorkspaceId, type ConversationId, type WorkspaceId } from "../../kernel/ids.ts";
import type { PlatformNotes } from "../notes.ts";

/** Where on Telegram a conversation is. */
export interface Target {
  readonly chat: number;
  readonly topic: number | undefined;
}

/** `telegram:<chat>` or `telegram:<chat>:<topic>`. */
export function conversationOf(chat: number, topic: number | undefined): ConversationId {
  return parseConversationId(topic === undefined ? `telegram:${chat}` : `telegram:${chat}:${topic}`);
}

/** A person, or a chat that speaks for itself. */
export function speakerId(id: number): WorkspaceId {
  return parseWorkspaceId(`telegram:${id}`);
}

/** The chat and topic of a conversation. Throws `OutsideError` when it is none of Telegram's. */
export function targetOf(conversation: ConversationId): Target {
  const match = /^telegram:(-?\d{1,16})(?::(\d{1,10}))?$/.exec(conversation);
  if (match?.[1] === undefined)
    throw new OutsideError(`${conversation} is no chat of Telegram`, { code: "not-found", retry: { kind: "never" } });
  return { chat: Number(match[1]), topic: match[2] === undefined ? undefined : Number(match[2]) };
}

/** A private chat has the id of its person; groups have negative ids. */
export const isPrivate = (chat: number): boolean => chat > 0;

/**
 * Groups get a new id when they become supergroups. The conversation keeps its first id, so that its history, its
 * outbox and the allow-lists stay with it.
 */
export interface ChatMoves {
  /** The chat by which the conversation is known. */
  homeOf(chat: number): Promise<number>;
  /** The chat to which is sent. */
  addressOf(home: number): Promise<number>;
  /** A group became a supergroup. Safe to repeat. */
  moved(from: number, to: number): Promise<void>;
}

/** A move is for ever; what nobody wrote to for two years may begin anew. */
const KEEP_MS = 2 * 365 * 86_400_000;

/** Keeps moves in the notes, so that every process knows them. */
export function createChatMoves(notes: PlatformNotes): ChatMoves {
  const read = async (key: string, otherwise: number): Promise<number> => {
    const value = await notes.read(key);
    return value === undefined ? otherwise : Number(value);
  };
  const homeOf = (chat: number) => (isPrivate(chat) ? Promise.resolve(chat) : read(`home:${chat}`, chat));
  return {
    homeOf,
    addressOf: (home) => (isPrivate(home) ? Promise.resolve(home) : read(`address:${home}`, home)),
    async moved(from, to) {
      if (from === to) return;
      const home = await homeOf(from);
      await notes.write(`home:${to}`, String(home), KEEP_MS);
      await notes.write(`address:${home}`, String(to), KEEP_MS);
    },
  };
}
