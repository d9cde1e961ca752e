import { describeError } from "../../kernel/errors.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import type { PlatformNotes } from "../notes.ts";
import { laterSnowflake, snowflakeAt, timeOfSnowflake } from "./snowflake.ts";

/**
 * How far everything was read. A channel in which the bot was called has a mark of its own; for all others one common
 * mark says up to when everything was heard.
 */
export interface ReadMarks {
  /** The common mark as it stands. */
  common(): string;
  /** The message after which a channel has to be read, given the common mark at the time when listening stopped. */
  after(channelId: string, common: string): string;
  /** The direct chats that are known. */
  directChats(): readonly string[];
  /**
   * A direct chat is there, and everything before `messageId` is settled. Noted before its first message is kept: Discord
   * has no list of direct chats, so one that nobody noted could not be looked into later. Rejects when it cannot be noted.
   */
  met(channelId: string, messageId: string): Promise<void>;
  /** A message of a channel was kept. Rejects when that cannot be noted. */
  kept(channel: { readonly id: string; readonly direct: boolean }, messageId: string): Promise<void>;
  /** Everything up to `messageId` was heard, apart from what is still `open`. Noted now and then; never rejects. */
  heard(messageId: string, open: string | undefined): Promise<void>;
  /** Notes the common mark now; never rejects. */
  save(): Promise<void>;
}

const HEARD = "heard";
const DIRECT = "direct/";
// Events of several channels may overtake each other by moments, so the common mark is taken with a margin.
const MARGIN_MS = 60_000;
const SAVE_EVERY_MS = 5000;
// A message is recognised as known for two days; what is older could be answered twice.
const LONGEST_GAP_MS = 47 * 3_600_000;
const MAX_MARKS = 5000;

/** Reads the marks that this or another process left. Rejects when they cannot be read. */
export async function loadReadMarks({
  notes,
  clock,
  log,
}: {
  readonly notes: PlatformNotes;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<ReadMarks> {
  const [reached, left] = await Promise.all([notes.reached(), notes.read(HEARD)]);
  const marks = new Map(reached.toReversed().map(({ channel, cursor }) => [channel, cursor]));
  // The first start of all has no past: what is written from now on is read.
  let heard = left ?? snowflakeAt(clock.now() + MARGIN_MS);
  let savedAt = -Infinity;
  let saved = left;

  async function save(): Promise<void> {
    if (heard === saved) return;
    const value = heard;
    savedAt = clock.monotonic();
    try {
      await notes.write(HEARD, value);
      saved = value;
    } catch (error) {
      log.warn({ error: describeError(error) }, "how far Discord was read could not be noted; it is noted later");
    }
  }

  return {
    common: () => heard,
    after(channelId, common) {
      const own = marks.get(channelId) ?? marks.get(DIRECT + channelId);
      const all = snowflakeAt(timeOfSnowflake(common) - MARGIN_MS);
      return laterSnowflake(laterSnowflake(own ?? "0", all), snowflakeAt(clock.now() - LONGEST_GAP_MS));
    },
    directChats: () => [...marks.keys()].filter((key) => key.startsWith(DIRECT)).map((key) => key.slice(DIRECT.length)),
    async met(channelId, messageId) {
      const key = DIRECT + channelId;
      if (marks.has(key)) return;
      const mark = String(BigInt(messageId) - 1n);
      await notes.reach(key, mark, timeOfSnowflake(mark));
      marks.set(key, mark);
    },
    async kept({ id, direct }, messageId) {
      const key = direct ? DIRECT + id : id;
      const mark = laterSnowflake(marks.get(key) ?? "0", messageId);
      await notes.reach(key, mark, timeOfSnowflake(mark));
      marks.delete(key);
      marks.set(key, mark);
      const [oldest] = marks.keys();
      if (marks.size > MAX_MARKS && oldest !== undefined) marks.delete(oldest);
    },
    async heard(messageId, open) {
      const upTo = open === undefined || BigInt(open) > BigInt(messageId) ? messageId : String(BigInt(open) - 1n);
      heard = laterSnowflake(heard, upTo);
      if (clock.monotonic() - savedAt >= SAVE_EVERY_MS) await save();
    },
    save,
  };
}
