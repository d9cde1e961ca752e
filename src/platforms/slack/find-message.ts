import type { SlackApi } from "./api.ts";
import type { Spot } from "./ids.ts";
import type { SlackMessage } from "./methods.ts";

/** The message with this `ts`; undefined when it is gone. Throws `OutsideError`. */
export async function findMessage(
  api: SlackApi,
  { channel, thread }: Spot,
  ts: string,
): Promise<SlackMessage | undefined> {
  const only = { channel, oldest: ts, latest: ts, inclusive: true, limit: 10 };
  const { messages } =
    thread === undefined
      ? await api.call("conversations.history", only)
      : await api.call("conversations.replies", { ...only, ts: thread });
  return messages.find((message) => message.ts === ts);
}

/** How many messages are read in search of a delivery. */
const PAGE = 200;
const MOST_PAGES = 20;
/** Slack's clock and ours differ. */
const MARGIN_MS = 300_000;

/**
 * The first message since `since` (milliseconds since 1970) that meets the condition, with what its author's app wrote
 * into it. At most the 4,000 latest messages of a channel are looked at, and the 4,000 first ones of a thread since then.
 */
export async function searchMessages(
  api: SlackApi,
  { channel, thread }: Spot,
  since: number,
  isIt: (message: SlackMessage) => boolean,
  signal: AbortSignal,
): Promise<SlackMessage | undefined> {
  const oldest = `${Math.max(0, Math.floor((since - MARGIN_MS) / 1_000))}.000000`;
  const range = { channel, oldest, limit: PAGE, include_all_metadata: true };
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const more = cursor === undefined ? {} : { cursor };
    const reply =
      thread === undefined
        ? await api.call("conversations.history", { ...range, ...more }, { signal })
        : await api.call("conversations.replies", { ...range, ...more, ts: thread }, { signal });
    const found = reply.messages.find(isIt);
    if (found !== undefined) return found;
    cursor = reply.response_metadata?.next_cursor;
    if (cursor === undefined || cursor === "") return undefined;
  }
  return undefined;
}
