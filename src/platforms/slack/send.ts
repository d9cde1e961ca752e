import type { Part, Posted, SendContext } from "../contract.ts";
import type { SlackApi } from "./api.ts";
import { blocksOf } from "./blocks.ts";
import { refusal } from "./errors.ts";
import { searchMessages } from "./find-message.ts";
import { type Spot, spotOf } from "./ids.ts";
import type { SlackMessage } from "./methods.ts";

/** Slack's name of what we write into our messages, so that they are recognised. */
const DELIVERY = "parley_delivery";

/** What a delivery carries, for everybody who may read the channel: its id and nothing of its content. */
const deliveryMark = (id: string) => ({ event_type: DELIVERY, event_payload: { id } });

/**
 * Posts a piece of text. A repeated send looks whether the message is there already; in the place of a preview it is
 * written into the preview's message, which may be repeated.
 */
export async function sendText(api: SlackApi, part: Part, context: SendContext): Promise<Posted> {
  const { repeatSince, draft, signal } = context;
  const spot = spotOf(part.conversationId);
  if (draft !== undefined && (await finishDraft(api, part, spot, draft, signal))) return { postedId: draft };
  if (repeatSince !== undefined) {
    const isIt = deliveredAs(part.id);
    const there = await searchMessages(api, spot, repeatSince, isIt, signal);
    if (there !== undefined) return { postedId: there.ts };
  }
  const { ts } = await withFallback(part, (form) =>
    api.call("chat.postMessage", { ...place(spot), ...form, unfurl_links: false, unfurl_media: false }, { signal }),
  );
  return { postedId: ts };
}

const deliveredAs =
  (id: string) =>
  ({ metadata }: SlackMessage): boolean =>
    metadata?.event_type === DELIVERY && metadata.event_payload["id"] === id;

const place = ({ channel, thread }: Spot) => ({ channel, ...(thread === undefined ? {} : { thread_ts: thread }) });

/** What Slack says when a preview's message cannot be written into any longer. */
const GONE: ReadonlySet<string | undefined> = new Set([
  "message_not_found",
  "cant_update_message",
  "edit_window_closed",
  "channel_type_not_supported",
]);
/** What it says of a stream that has ended already, by itself or by an earlier try. */
const ENDED: ReadonlySet<string | undefined> = new Set(["message_not_in_streaming_state", "unknown_method"]);

/** Writes the part into the preview's message; false when that is gone. */
async function finishDraft(api: SlackApi, part: Part, spot: Spot, ts: string, signal: AbortSignal): Promise<boolean> {
  const message = { channel: spot.channel, ts };
  try {
    try {
      await api.call("chat.stopStream", message, { signal });
    } catch (error) {
      if (!ENDED.has(refusal(error))) throw error;
    }
    // What was streamed are blocks of their own: they go only when others take their place.
    await withFallback(part, (form, plain) =>
      api.call("chat.update", { ...message, ...form, blocks: blocksOf(part, plain) }, { signal }),
    );
    return true;
  } catch (error) {
    if (GONE.has(refusal(error))) return false;
    throw error;
  }
}

const REFUSED_FORM: ReadonlySet<string | undefined> = new Set([
  "invalid_blocks",
  "invalid_blocks_format",
  "msg_blocks_too_long",
  "markdown_text_conflict",
]);

/** Tries the markup, then the bare text when Slack refuses it: every word arrives. */
async function withFallback<T>(
  part: Part,
  call: (form: Readonly<Record<string, unknown>>, plain: boolean) => Promise<T>,
): Promise<T> {
  const form = (plain: boolean) => ({
    text: part.text,
    metadata: deliveryMark(part.id),
    ...(part.buttons.length === 0 ? {} : { blocks: blocksOf(part, plain) }),
    ...(plain ? { mrkdwn: false } : {}),
  });
  try {
    return await call(form(false), false);
  } catch (error) {
    if (!REFUSED_FORM.has(refusal(error))) throw error;
    return await call(form(true), true);
  }
}
