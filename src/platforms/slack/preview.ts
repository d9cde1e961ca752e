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

/** What a stream shows: everything, and of it what the current step wrote. */
interface Stream {
  step: string;
  text: string;
  length: number;
  ended: boolean;
}

/**
 * Creates previews by Slack's streams, which only grow: another step's text is put below, and one that does not go on
 * from what was shown, here or by another process, is left to the final message.
 */
export function createPreviews(api: SlackApi, notes: PlatformNotes): Preview {
  const streams = new Map<string, Stream>();

  return async ({ channel, thread }, { text, draft, step }, signal) => {
    if (thread === undefined || text === "") return draft;
    if (draft === undefined) {
      const asker = isDirect(channel) ? {} : await findAsker(notes, { channel, thread });
      if (asker === undefined) return undefined;
      const [first = ""] = cut(text, PIECE_LIMIT);
      const start = { channel, thread_ts: thread, markdown_text: harmless(first), ...asker };
      const { ts } = await api.call("chat.startStream", start, { signal });
      streams.set(`${channel}:${ts}`, { step, text: first, length: first.length, ended: false });
      const oldest = streams.keys().next().value;
      if (streams.size > MOST && oldest !== undefined) streams.delete(oldest);
      return ts;
    }
    const stream = streams.get(`${channel}:${draft}`);
    if (stream === undefined || stream.ended) return draft;
    const next = stream.step !== step;
    if (!next && !text.startsWith(stream.text)) return draft;
    const room = Math.min(PIECE_LIMIT, SHOWN_LIMIT - stream.length);
    const more = `${next ? "\n\n" : ""}${text.slice(next ? 0 : stream.text.length)}`;
    const [piece = ""] = room > 0 ? cut(more, room) : [];
    if (piece.trim() === "") return draft;
    try {
      await api.call("chat.appendStream", { channel, ts: draft, markdown_text: harmless(piece) }, { signal });
      stream.text = next ? piece.slice(2) : stream.text + piece;
      stream.step = step;
      stream.length += piece.length;
    } catch (error) {
      // A stream that stood still for long ends by itself; the final message takes its place all the same.
      if (refusal(error) !== "message_not_in_streaming_state") throw error;
      stream.ended = true;
    }
    return draft;
  };
}

/** Nobody is called by what a model writes: Slack's own form of a mention is broken. */
function harmless(markdown: string): string {
  return markdown.replaceAll(/<(?=[@!#])/g, "<\u200b");
}
