import type { PlatformMessage } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import { albumOf } from "./read-update.ts";
import type { TelegramUpdate } from "./update-schema.ts";

/**
 * Several pictures sent at once (an album) arrive as one update each, and nothing says which is the last. They become
 * one message, whose id is that of the first part.
 *
 * How nothing is lost: with polling, updates stay unconfirmed at Telegram until the album is complete and kept, so
 * another process gets all of them again. Which parts belong to the message is noted before it is kept
 * (`albumMembers`), so that every process that gets them again makes the same message of them, and a part that comes
 * later than all the others becomes a message of its own instead of vanishing in one that is known already.
 */
export interface BatchPlan {
  /** What can be kept now, in order: single updates, and albums with all their parts. */
  readonly units: readonly (readonly TelegramUpdate[])[];
  /** The first album that may not be complete yet, and how much of it is there. What follows waits behind it. */
  readonly held: string | undefined;
}

/** Telegram's limit. */
const MAX_PARTS = 10;

/**
 * Cuts the updates of one reply into units. An album is complete when it has ten parts, when its author went on to
 * something else, when it stands first in a reply that has no room for more (`full`), or when `quiet` says that it did
 * not grow since the last look.
 */
export function planBatch(
  updates: readonly TelegramUpdate[],
  { quiet, full }: { readonly quiet: string | undefined; readonly full: boolean },
): BatchPlan {
  const units: (readonly TelegramUpdate[])[] = [];
  const taken = new Set<number>();
  for (const [index, update] of updates.entries()) {
    if (taken.has(update.update_id)) continue;
    const album = albumOf(update);
    if (album === undefined) {
      units.push([update]);
      continue;
    }
    const parts = updates.filter((other) => albumOf(other) === album);
    const held = `${album}:${parts.length}`;
    const complete =
      parts.length >= MAX_PARTS || held === quiet || (full && index === 0) || wentOn(updates, parts, album);
    if (!complete) return { units, held };
    units.push(parts);
    for (const part of parts) taken.add(part.update_id);
  }
  return { units, held: undefined };
}

function wentOn(updates: readonly TelegramUpdate[], parts: readonly TelegramUpdate[], album: string): boolean {
  const last = parts.at(-1);
  return updates.some(
    (other) =>
      last !== undefined &&
      other.update_id > last.update_id &&
      other.message !== undefined &&
      albumOf(other) !== album &&
      other.message.chat.id === last.message?.chat.id &&
      other.message.from?.id === last.message.from?.id,
  );
}

/** The parts of an album as one message. `parts` has at least one. */
export function mergeParts(parts: readonly PlatformMessage[]): PlatformMessage | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  return {
    ...first,
    text: [...new Set(parts.map(({ text }) => text))].filter((text) => text !== "").join("\n"),
    files: parts.flatMap(({ files }) => files),
    addressed: parts.some(({ addressed }) => addressed),
  };
}

/** Redeliveries come within a day. */
const KEEP_MS = 2 * 86_400_000;

/** The ids of the parts that make the message of an album; decided once, by whoever asks first with what is there. */
export async function albumMembers(
  notes: PlatformNotes,
  chat: string,
  album: string,
  present: readonly string[],
): Promise<readonly string[]> {
  return (await notes.keep(`album:${chat}:${album}`, present.join(","), KEEP_MS)).split(",");
}

/** The id of the message that a part of an album belongs to. */
export async function albumMessageId(notes: PlatformNotes, chat: string, album: string, part: string): Promise<string> {
  const members = (await notes.read(`album:${chat}:${album}`))?.split(",") ?? [];
  return members.includes(part) ? (members[0] ?? part) : part;
}
