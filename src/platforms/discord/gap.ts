import { setTimeout as delay } from "node:timers/promises";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import type { DiscordApi, Page } from "./api.ts";
import { compareSnowflakes, laterSnowflake } from "./snowflake.ts";
import type { WireMessage } from "./wire.ts";

// So many channels are read at a time: a thousand direct chats must not use up the bot's 50 requests a second.
const AT_A_TIME = 4;
const DEFAULT_WAIT_MS = 2000;
const NOTHING: Page = { messages: [], last: true };

export interface GapParts {
  readonly api: Pick<DiscordApi, "messagesAfter">;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Reads what was missed: gives every message of a channel after an id, oldest first. */
export type GapReader = (
  channelId: string,
  after: string,
  take: (message: WireMessage) => Promise<void>,
) => Promise<void>;

/**
 * Creates a reader. A channel that the bot may not read (any more) has no gap. Waits that Discord asks for are kept;
 * everything else is left to the caller, who calls again.
 */
export function createGapReader({ api, log, signal }: GapParts): GapReader {
  const turns = createTurns(AT_A_TIME);

  return async function read(channelId, after, take) {
    let cursor = after;
    for (;;) {
      const { messages, last } = await turns(() => pageAfter(channelId, cursor));
      const before = cursor;
      for (const message of messages.toSorted((a, b) => compareSnowflakes(a.id, b.id))) {
        if (signal.aborted) return;
        await take(message);
        cursor = laterSnowflake(cursor, message.id);
      }
      if (last || signal.aborted || cursor === before) return;
    }
  };

  async function pageAfter(channelId: string, cursor: string): Promise<Page> {
    while (!signal.aborted) {
      try {
        return await api.messagesAfter(channelId, cursor, signal);
      } catch (error) {
        if (!(error instanceof OutsideError)) throw error;
        const { retry } = error;
        if (retry.kind === "never") {
          log.warn({ channel: channelId, error: describeError(error) }, "what was missed in a channel cannot be read");
          return NOTHING;
        }
        await delay(retry.ms ?? DEFAULT_WAIT_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return NOTHING;
  }
}

/** Lets only so many run at once; the others wait in line. */
function createTurns(count: number) {
  let free = count;
  const line: (() => void)[] = [];
  return async function turn<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free--;
    else await new Promise<void>((go) => line.push(go));
    try {
      return await work();
    } finally {
      const next = line.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
