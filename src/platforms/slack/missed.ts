import { OutsideError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import { pause } from "./aborting.ts";
import type { SlackApi } from "./api.ts";
import { readMessage, type Said, type Self } from "./events.ts";
import { isDirect } from "./ids.ts";
import type { SlackMessage } from "./methods.ts";
import { mentioned } from "./text.ts";

/** How far a channel, or a thread as `channel:thread`, was read. */
export interface ReadUpTo {
  readonly channel: string;
  readonly cursor: string;
}

export interface MissedParts {
  readonly api: SlackApi;
  readonly self: Self;
  /** Takes one message; rejects when it could not be kept. */
  readonly said: (said: Said) => Promise<void>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const PAGE = 200;
const MOST_PAGES = 5;
/** When Slack does not say how long to wait. */
const WAIT_MS = 30_000;

/**
 * Fetches what was said while nobody listened, channel by channel in the given order, each oldest first. With `enough` it
 * gives what is left when that says so, or when Slack wants it to wait. Channels that cannot be read (any longer) are left out. Rejects when a message could not
 * be kept.
 */
export async function fetchMissed(
  parts: MissedParts,
  from: readonly ReadUpTo[],
  enough?: () => boolean,
): Promise<readonly ReadUpTo[]> {
  const left = [...from];
  for (let next = left[0]; next !== undefined && !parts.signal.aborted; next = left[0]) {
    if (enough?.() === true) return left;
    try {
      await fetchOne(parts, next);
    } catch (error) {
      if (!(error instanceof Unread)) throw error;
      if (error.wait !== undefined) {
        if (enough !== undefined) return left;
        await pause(error.wait, parts.signal);
        continue;
      }
      parts.log.info(
        { channel: next.channel, why: error.message },
        "what was missed in a Slack channel was not fetched",
      );
    }
    left.shift();
  }
  return left;
}

async function fetchOne(parts: MissedParts, { channel: key, cursor }: ReadUpTo): Promise<void> {
  const [channel = "", thread] = key.split(":");
  const messages = await readSince(parts, channel, thread, cursor);
  for (const message of messages) {
    const said = message.ts === cursor ? undefined : readMessage(message, channel, parts.self);
    if (said !== undefined) await parts.said(said);
    if (thread === undefined && beganForUs(message, channel, parts.self))
      await fetchOne(parts, { channel: `${channel}:${message.ts}`, cursor: message.ts });
  }
}

/** A thread that nobody knew of yet, as its first message shows. */
function beganForUs(message: SlackMessage, channel: string, self: Self): boolean {
  return (message.reply_count ?? 0) > 0 && (isDirect(channel) || mentioned(message.text).includes(self.user));
}

/** Not read: for good, or for so many milliseconds. */
class Unread extends Error {
  override readonly name = "Unread";
  readonly wait: number | undefined;

  constructor(error: OutsideError) {
    super(error.message, { cause: error });
    this.wait = error.retry.kind === "never" ? undefined : (error.retry.ms ?? WAIT_MS);
  }
}

/** Everything after `cursor`, oldest first; of a channel at most the latest thousand. */
async function readSince(
  { api, signal }: MissedParts,
  channel: string,
  thread: string | undefined,
  cursor: string,
): Promise<readonly SlackMessage[]> {
  const found: SlackMessage[] = [];
  let page: string | undefined;
  try {
    for (let count = 0; count < MOST_PAGES; count++) {
      const range = { channel, oldest: cursor, limit: PAGE, ...(page === undefined ? {} : { cursor: page }) };
      const reply =
        thread === undefined
          ? await api.call("conversations.history", range, { signal })
          : await api.call("conversations.replies", { ...range, ts: thread }, { signal });
      found.push(...reply.messages);
      page = reply.response_metadata?.next_cursor;
      if (page === undefined || page === "") break;
    }
  } catch (error) {
    throw error instanceof OutsideError ? new Unread(error) : error;
  }
  // A thread's first message comes with its replies, however old it is.
  return found.filter(({ ts }) => Number(ts) > Number(cursor)).sort((a, b) => Number(a.ts) - Number(b.ts));
}
