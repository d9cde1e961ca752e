import { z } from "zod";
import { describeError } from "../../kernel/errors.ts";
import { parseConversationId, parseWorkspaceId } from "../../kernel/ids.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import type { Gateway, PlatformMessage } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import { ingestAlbum } from "./ingest.ts";
import type { Wait } from "./options.ts";

/**
 * The parts of albums that a webhook brought. Telegram brings the next update of a chat only after the one before was
 * answered, so a part cannot be held unanswered until the album is complete. It is noted durably instead, and then
 * answered; a moment after the last part the noted ones become one message. Should the process die in between, another
 * one finds them: `release` is called by every process after a part, and from time to time by the one that looks after
 * the webhook.
 */
export interface HeldAlbums {
  /** Resolves when the part is kept safely; the rest follows by itself. */
  hold(message: PlatformMessage, album: string): Promise<void>;
  /** Turns every album that came to rest into a message. Rejects when one could not be kept; it stays held. */
  release(gateway: Gateway): Promise<void>;
}

export interface HeldAlbumsParts {
  readonly notes: PlatformNotes;
  readonly clock: Clock;
  readonly log: Log;
  readonly wait: Wait;
  /** Ends waiting for albums to come to rest; they stay noted. */
  readonly closing: AbortSignal;
}

const HELD_PREFIX = "held-album:";
const QUIET_MS = 1_000;
const KEEP_MS = 2 * 86_400_000;
const RELEASED = "released";
const REMEMBERED = 10_000;

const heldSchema = z.object({
  album: z.string(),
  message: z.object({
    conversationId: z.string().transform(parseConversationId),
    chat: z.string(),
    direct: z.boolean(),
    id: z.string(),
    author: z.object({ id: z.string().transform(parseWorkspaceId), name: z.string(), isBot: z.boolean() }),
    text: z.string(),
    files: z.array(z.object({ name: z.string(), mimeType: z.string(), bytes: z.number(), ref: z.string() })),
    addressed: z.boolean(),
    thread: z.boolean(),
    at: z.number(),
  }),
});
type Held = z.infer<typeof heldSchema> & { readonly key: string; readonly since: number };

/** Keeps held parts in the notes. `gateway` takes those that were held by this process. */
export function createHeldAlbums(gateway: Gateway, { notes, clock, log, wait, closing }: HeldAlbumsParts): HeldAlbums {
  const released = new Set<string>();

  const releaseOne = async (parts: readonly Held[], to: Gateway): Promise<void> => {
    const [first] = parts;
    if (first === undefined || clock.now() - Math.max(...parts.map(({ since }) => since)) < QUIET_MS) return;
    const messages = parts.map(({ message }) => message).toSorted((a, b) => Number(a.id) - Number(b.id));
    await ingestAlbum(messages, first.album, { gateway: to, notes });
    for (const { key } of parts) {
      await notes.write(key, RELEASED, KEEP_MS);
      released.add(key);
    }
    if (released.size > REMEMBERED) released.clear();
  };

  const release = async (to: Gateway): Promise<void> => {
    const groups = new Map<string, Held[]>();
    for (const { channel: key, at: since } of await notes.reached()) {
      if (!key.startsWith(HELD_PREFIX) || released.has(key) || clock.now() - since > KEEP_MS) continue;
      const held = await readHeld(key, since, notes, log);
      if (held === undefined) released.add(key);
      else groups.set(groupOf(held), [...(groups.get(groupOf(held)) ?? []), held]);
    }
    for (const parts of groups.values()) await releaseOne(parts, to);
  };

  const releaseSoon = async (): Promise<void> => {
    try {
      await wait(QUIET_MS, closing);
      if (!closing.aborted) await release(gateway);
    } catch (error) {
      log.warn({ error: describeError(error) }, "an album could not be kept yet; it is tried again");
    }
  };

  return {
    async hold(message, album) {
      const key = `${HELD_PREFIX}${message.chat}:${album}:${message.id}`;
      await notes.keep(key, JSON.stringify({ album, message }), KEEP_MS);
      await notes.reach(key, message.id, clock.now());
      void releaseSoon();
    },
    release,
  };
}

const groupOf = ({ album, message }: Held): string => `${message.conversationId} ${album}`;

async function readHeld(key: string, since: number, notes: PlatformNotes, log: Log): Promise<Held | undefined> {
  const value = await notes.read(key);
  if (value === undefined || value === RELEASED) return undefined;
  try {
    return { ...heldSchema.parse(JSON.parse(value)), key, since };
  } catch (error) {
    log.error({ key, error: describeError(error) }, "a noted part of an album could not be read");
    return undefined;
  }
}
