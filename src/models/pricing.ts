import type { Usage } from "./contract.ts";

/** What a million tokens cost in units of the currency, as price lists say it; six decimals count. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** For the part of the input the provider had in its cache; the price of other input unless given. */
  readonly cachedInput?: number;
}

/** Tokens of one call. `cachedInputTokens` are part of `inputTokens`. */
export interface TokenCount extends Usage {
  readonly cachedInputTokens?: number;
}

/**
 * What a call costs, in millionths of the currency's unit, rounded up to a whole one. Exact: the same count and price
 * give the same cost everywhere, so that sums can be compared. Without a price a call costs nothing.
 */
export function costOf(count: TokenCount, price: Price | undefined): number {
  if (price === undefined) return 0;
  const input = whole(count.inputTokens);
  const cached = whole(Math.min(count.cachedInputTokens ?? 0, count.inputTokens));
  const millionths =
    (input - cached) * micros(price.input) +
    cached * micros(price.cachedInput ?? price.input) +
    whole(count.outputTokens) * micros(price.output);
  return Number((millionths + MILLION - 1n) / MILLION);
}

/** The most a call can cost when any of these prices may apply to it: which model answers is known only afterwards. */
export function highestCost(count: TokenCount, prices: readonly (Price | undefined)[]): number {
  return Math.max(0, ...prices.map((price) => costOf(count, price)));
}

const MILLION = 1_000_000n;

function whole(tokens: number): bigint {
  return BigInt(Math.max(0, Math.ceil(tokens)));
}

function micros(price: number): bigint {
  return BigInt(Math.max(0, Math.round(price * 1_000_000)));
}
