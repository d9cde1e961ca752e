/** The most characters one reading gives, so that the model never gets a piece cut off a second time. */
export const MAX_WINDOW_CHARS = 20_000;
const DEFAULT_WINDOW_CHARS = 10_000;

/** Where to begin reading and how much to read, counted in characters (UTF-16 units). */
export interface Window {
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** A piece of a long text, with a line that says where it stands and how to go on. Never splits a character. Pure. */
export function showWindow(text: string, { offset = 0, limit = DEFAULT_WINDOW_CHARS }: Window): string {
  const from = toBoundary(text, Math.min(offset, text.length));
  let to = toBoundary(text, Math.min(from + Math.min(limit, MAX_WINDOW_CHARS), text.length));
  // A limit of one half of a character would never get any further.
  if (to === from && from < text.length) to = Math.min(from + 2, text.length);
  const rest = to < text.length ? `; go on with offset ${to}` : "; this is the end";
  return `${text.slice(from, to)}\n[characters ${from} to ${to} of ${text.length}${rest}]`;
}

function toBoundary(text: string, at: number): number {
  const before = text.charCodeAt(at - 1);
  const splits = at > 0 && at < text.length && before >= 0xd800 && before <= 0xdbff;
  return splits ? at - 1 : at;
}
