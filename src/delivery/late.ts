import type { DeliveryId } from "../kernel/ids.ts";
import type { OutboundMessage } from "../kernel/messages.ts";

/** Late messages that leave as one: the words, and which messages they stand for besides the first. */
export interface LateSummary {
  readonly text: string;
  readonly covers: readonly DeliveryId[];
}

/** How much of every answer a summary holds when all of them together are long, in UTF-16 units. */
const SHORT_CHARS = 280;
const LONG_SUMMARY_CHARS = 6_000;

/**
 * After an outage people should not be flooded with old answers: the late ones at the head of the line become one
 * message. Undefined when there is nothing to put together: only plain words can be, and only at least two.
 * `lateMs` is how old a late message is.
 */
export function summariseLate(
  first: OutboundMessage,
  waiting: readonly OutboundMessage[],
  { now, lateMs }: { readonly now: number; readonly lateMs: number },
): LateSummary | undefined {
  const joins = (message: OutboundMessage) => now - message.at > lateMs && isPlain(message);
  if (!joins(first)) return undefined;
  const end = waiting.findIndex((message) => !joins(message));
  const others = end < 0 ? waiting : waiting.slice(0, end);
  if (others.length === 0) return undefined;
  const all = [first, ...others];
  const isLong = all.reduce((sum, { text }) => sum + text.length, 0) > LONG_SUMMARY_CHARS;
  const pieces = all.map(({ text }) => (isLong ? shorten(text) : text));
  const opening = `For ${describeWait(now - first.at)} my messages did not get through. These are the ${all.length} that waited:`;
  return { text: `${opening}\n\n${pieces.join("\n\n---\n\n")}`, covers: others.map(({ id }) => id) };
}

function isPlain({ kind, choices = [], files = [] }: OutboundMessage): boolean {
  return kind !== "approval" && kind !== "question" && choices.length === 0 && files.length === 0;
}

function shorten(text: string): string {
  if (text.length <= SHORT_CHARS) return text;
  // Words only: half a list or half a fence would swallow what follows.
  const words = text.replaceAll(/[`*_#>|]/g, "").replaceAll(/\s+/g, " ");
  return `${words.slice(0, SHORT_CHARS).toWellFormed()}… (shortened; ask me for the rest)`;
}

function describeWait(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes < 60) return minutes === 1 ? "a minute" : `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours === 1 ? "an hour" : `${hours} hours`;
}
