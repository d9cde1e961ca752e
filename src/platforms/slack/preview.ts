import type { PlatformNotes } from "../notes.ts";
import type { SlackApi } from "./api.ts";
import { findAsker } from "./asker.ts";
import { cut } from "./blocks.ts";
import { refusal } from "./errors.ts";
import { isDirect, type Spot } from "./ids.ts";

export type Preview = (
  spot: Spot,
  preview: { readonly text: string; readonly draft: string | undefined; readonly step: string },
  signal: AbortSignal,
) => Promise<string | undefined>;

/** Slack's limit for what is added at once. */
const PIECE_LIMIT = 12_000;
/** What a stream shows at most; the whole answer follows as messages. */
const SHOWN_LIMIT = 30_000;
const MOST = 1_000;

/**
 * Creates previews by Slack's streams, which only grow: what was shown is remembered, and a text that does not go on from
 * there (another step's, or one whose beginning another process showed) is left to the final message.
 */
export function createPreviews(api: SlackApi, notes: PlatformNotes): Preview {
  const shown = new Map<string, { text: string; ended: boolean }>();

  return async ({ channel, thread }, { text, draft }, signal) => {
    if (thread === undefined || text === "") return draft;
    if (draft === undefined) {
      const asker = isDirect(channel) ? {} : await findAsker(notes, { channel, thread });
      if (asker === undefined) return undefined;
      const [first = ""] = cut(text, PIECE_LIMIT);
      const start = { channel, thread_ts: thread, markdown_text: harmless(first), ...asker };
      const { ts } = await api.call("chat.startStream", start, { signal });
      shown.set(`${channel}:${ts}`, { text: first, ended: false });
      const oldest = shown.keys().next().value;
      if (shown.size > MOST && oldest !== undefined) shown.delete(oldest);
      return ts;
    }
    const before = shown.get(`${channel}:${draft}`);
    if (before === undefined || before.ended || !text.startsWith(before.text)) return draft;
    const [more = ""] = cut(text.slice(before.text.length, SHOWN_LIMIT), PIECE_LIMIT);
    if (more === "") return draft;
    try {
      await api.call("chat.appendStream", { channel, ts: draft, markdown_text: harmless(more) }, { signal });
      before.text += more;
    } catch (error) {
      // A stream that stood still for long ends by itself; the final message takes its place all the same.
      if (refusal(error) !== "message_not_in_streaming_state") throw error;
      before.ended = true;
    }
    return draft;
  };
}

/** Nobody is called by what a model writes: Slack's own form of a mention is broken. */
function harmless(markdown: string): string {
  return markdown.replaceAll(/<(?=[@!#])/g, "<\u200b");
}
