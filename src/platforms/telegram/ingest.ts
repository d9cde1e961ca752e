import type { Clock, Log } from "../../kernel/ports.ts";
import type { Gateway, PlatformMessage } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import { albumMembers, albumMessageId, mergeParts } from "./albums.ts";
import { targetOf, type ChatMoves } from "./chats.ts";
import type { BotAccount } from "./message-text.ts";
import type { AnswerPress } from "./press.ts";
import { chatOf, readUpdate, type TelegramEvent } from "./read-update.ts";
import type { TelegramUpdate } from "./update-schema.ts";

export interface IngestParts {
  readonly gateway: Gateway;
  readonly notes: PlatformNotes;
  readonly moves: ChatMoves;
  readonly clock: Clock;
  readonly log: Log;
  readonly answer: AnswerPress;
}

/** Reads an update, knowing under which chat its conversation is kept. */
export async function readEvent(
  update: TelegramUpdate,
  bot: BotAccount,
  { moves, clock }: Pick<IngestParts, "moves" | "clock">,
): Promise<TelegramEvent> {
  const chat = chatOf(update);
  return readUpdate(update, { bot, home: chat === undefined ? 0 : await moves.homeOf(chat), now: clock.now() });
}

/**
 * Hands an event to the gateway. Resolves when Telegram may forget the update; rejects only when it could not be kept,
 * and may then be called again. What is to be told to somebody who pressed a button is not waited for: it is in `after`.
 */
export async function ingest(event: TelegramEvent, parts: IngestParts): Promise<{ readonly after?: Promise<void> }> {
  switch (event.kind) {
    case "message":
      await ingestAlbum([event.message], event.album, parts);
      return {};
    case "edited": {
      const { conversationId, text } = event;
      await parts.gateway.edited({ conversationId, text, id: await editedId(event, parts) });
      return {};
    }
    case "press": {
      const told = event.press === undefined ? UNUSABLE : await parts.gateway.pressed(event.press);
      return { after: parts.answer(event, told) };
    }
    case "moved":
      await parts.moves.moved(event.from, event.to);
      parts.log.info({ from: event.from, to: event.to }, "a group became a supergroup; its conversation goes on");
      return {};
    case "nothing":
      parts.log.debug({ why: event.why }, "an update was not used");
      return {};
  }
}

const UNUSABLE = { notice: "This button does not work any more." };

/** Keeps what arrived of an album, or a message that is none. Every part is kept, in one message where possible. */
export async function ingestAlbum(
  messages: readonly PlatformMessage[],
  album: string | undefined,
  { gateway, notes }: Pick<IngestParts, "gateway" | "notes">,
): Promise<void> {
  const [first] = messages;
  if (first === undefined) return;
  const ids = messages.map(({ id }) => id);
  const members = album === undefined ? ids : await albumMembers(notes, first.chat, album, ids);
  const merged = mergeParts(messages.filter(({ id }) => members.includes(id)));
  if (merged !== undefined) await gateway.message(merged);
  for (const late of messages.filter(({ id }) => !members.includes(id))) await gateway.message(late);
}

/** What was changed may be a part of an album, whose message has another id. */
async function editedId(
  { conversationId, album, id }: Extract<TelegramEvent, { kind: "edited" }>,
  { notes }: IngestParts,
): Promise<string> {
  if (album === undefined) return id;
  return albumMessageId(notes, `telegram:${targetOf(conversationId).chat}`, album, id);
}
