const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS };

/**
 * How long a provider asks to be left alone, in milliseconds, at most a day; undefined when it does not say. Reads
 * `retry-after-ms`, `retry-after` as seconds or as a date (against `now`), and the wording of the error text.
 */
export function parseRetryAfter(
  headers: Pick<Headers, "get"> | undefined,
  text: string,
  now: number,
): number | undefined {
  const ms = fromHeaders(headers, now) ?? fromText(text);
  return ms === undefined ? undefined : Math.min(Math.ceil(ms), DAY_MS);
}

function fromHeaders(headers: Pick<Headers, "get"> | undefined, now: number): number | undefined {
  const exact = number(headers?.get("retry-after-ms"));
  if (exact !== undefined) return exact;
  const value = headers?.get("retry-after");
  const seconds = number(value);
  if (seconds !== undefined) return seconds * 1000;
  // Requiring letters keeps Date.parse from reading a negative or odd number as a year.
  const date = value && /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function number(value: string | null | undefined): number | undefined {
  return value && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** Finds `try again in 6m0s`, `retry after 42 seconds`, `retryDelay 37s` and the like. */
function fromText(text: string): number | undefined {
  const found = /(?:again in|retry in|retry after|retrydelay)\W{0,4}((?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*)+)/i.exec(
    text,
  )?.[1];
  if (found === undefined) return undefined;
  let total: number | undefined;
  for (const [, amount, word = ""] of found.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const unit = UNIT_MS[word.toLowerCase()] ?? UNIT_MS[longUnit(word)];
    if (unit === undefined) break;
    total = (total ?? 0) + Number(amount) * unit;
  }
  return total;
}

function longUnit(word: string): string {
  return /^milli/i.test(word) ? "ms" : /^(second|minute|hour|day)/i.test(word) ? word.charAt(0).toLowerCase() : "";
}
