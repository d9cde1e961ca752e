import type { Usage } from "./contract.ts";

/** What a million tokens cost in units of the currency, as price lists say it; six decimals count. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** For the part of the input the provider had in its cache; the price of other input unless given. */
  readonly cachedInput?: number;
}

/**
 * What a call costs, in millionths of the currency's unit, rounded up to a whole one. Exact: the same count and price
 * give the same cost everywhere, so that sums can be compared. Without a price a call costs nothing.
 */
export function costOf(count: Usage, price: Price | undefined): number {
  if (price === undefined) return 0;
  const input = whole(count.inputTokens);
  const cached = whole(Math.min(count.cachedInputTokens ?? 0, count.inputTokens));
  const millionths =
    (input - cached) * micros(price.input) +
    cached * micros(price.cachedInput ?? price.input) +
    whole(count.outputTokens) * micros(price.output);
  return Number((millionths + MILLION - 1n) / MILLION);
}

/** What a model call takes out of a budget. Money is in millionths of the currency's unit. */
export interface Spending {
  readonly tokens: number;
  readonly money: number;
  readonly steps: number;
}

/** What a call took that was answered by a model of this price. */
export function spendingOf(count: Usage, price: Price | undefined): Spending {
  return { tokens: count.inputTokens + count.outputTokens, money: costOf(count, price), steps: 1 };
}

/**
 * The most a call may take: its input is only estimated, and any of the models with these prices may answer it.
 * `outputTokens` is the longest answer to reckon with.
 */
export function estimateSpending(count: Usage, prices: readonly (Price | undefined)[]): Spending {
  const most = { ...count, inputTokens: Math.ceil(count.inputTokens * INPUT_MARGIN) };
  return { ...spendingOf(most, undefined), money: Math.max(0, ...prices.map((price) => costOf(most, price))) };
}

/** Estimates of tokens are up to 40 % too low for some languages and for code. */
const INPUT_MARGIN = 1.4;

const MILLION = 1_000_000n;

function whole(tokens: number): bigint {
  return BigInt(Math.max(0, Math.ceil(tokens)));
}

function micros(price: number): bigint {
  return BigInt(Math.max(0, Math.round(price * 1_000_000)));
}
