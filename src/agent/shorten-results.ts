import type { ChatMessage } from "../models/contract.ts";

/** Below this a result says nothing any more, and its note would be longer than what is left. */
const MIN_CHARS = 200;

/**
 * The same messages with their longest results cut so that all together take `excess` tokens less, or as few as can be.
 * All are cut to the same length, so a short result beside a huge one stays whole. Pure.
 */
export function shortenResults(
  messages: readonly ChatMessage[],
  excess: number,
  countTokens: (text: string) => number,
): readonly ChatMessage[] {
  const results = messages.flatMap((message) => (message.role === "tool" ? [message.content] : []));
  const total = (texts: readonly string[]) => texts.reduce((sum, text) => sum + countTokens(text), 0);
  const target = total(results) - excess;
  let low = MIN_CHARS;
  let high = Math.max(MIN_CHARS, ...results.map((text) => text.length));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (total(results.map((text) => shorten(text, middle))) <= target) low = middle;
    else high = middle - 1;
  }
  return messages.map((message) =>
    message.role === "tool" ? { ...message, content: shorten(message.content, low) } : message,
  );
}

/** What is left of a text of which only so many characters may be shown; the note counts. */
function shorten(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const note = `\n(Only the beginning: ${text.length} characters do not fit into the context.)`;
  return `${text.slice(0, Math.max(0, chars - note.length)).toWellFormed()}${note}`;
}
