import type { Past } from "./history.ts";
import type { Size } from "./model-context.ts";
import { roughSize } from "./rough-size.ts";
import type { RunRecord } from "./runs.ts";

/** When older runs are summarised, and how long a summary may be. */
export interface SummaryLimits {
  readonly on: boolean;
  /** The share of the room for history that unsummarised runs may fill before the older of them are summarised. */
  readonly share: number;
  readonly maxTokens: number;
}

/** A failed attempt must not be made again with every message, and a successful one leaves room for several runs. */
const RUNS_BETWEEN_ATTEMPTS = 4;

/** How many runs beyond those a model reads are looked at, so that what waits for the next attempt is still in sight. */
export const SUMMARY_SLACK_RUNS = RUNS_BETWEEN_ATTEMPTS;

/**
 * The runs a new summary should cover besides those the present one covers, oldest first; empty when none is due. Whole
 * runs only, and never the newest one. Pure.
 */
export function planSummary(
  past: Past,
  room: Size,
  limits: SummaryLimits,
  weigh: (run: RunRecord) => Size,
): readonly RunRecord[] {
  if (!limits.on || (past.summary !== undefined && past.runsSince < RUNS_BETWEEN_ATTEMPTS)) return [];
  const uncovered = uncoveredRuns(past);
  // Mostly there is room enough; weighing exactly is dear, and then only needed now and then.
  if (fits(total(uncovered.map(roughSize)), room, limits.share)) return [];
  const sizes = uncovered.map(weigh);
  let left = total(sizes);
  if (fits(left, room, limits.share)) return [];
  // Half of that share stays free, so that the next few runs need no summary.
  let count = 0;
  while (count < uncovered.length - 1 && !fits(left, room, limits.share / 2)) {
    left = minus(left, sizes[count]);
    count += 1;
  }
  return uncovered.slice(0, count);
}

/** The runs that the summary in force says nothing of; commands are never part of what a model reads. */
function uncoveredRuns({ runs, summary }: Past): readonly RunRecord[] {
  const covered = runs.findLastIndex((run) => run.runId === summary?.summary?.upTo);
  return runs.slice(covered + 1).filter((run) => !run.command);
}

/** The longest summary that makes sense beside so much history. */
export function summaryTokens(limits: SummaryLimits, historyTokens: number): number {
  return Math.max(50, Math.min(limits.maxTokens, Math.floor(historyTokens / 4)));
}

/**
 * What becomes of a text the model wrote: cut to its limit at the end of a sentence, and kept only when it is smaller
 * than what it replaces. Pure.
 */
export function judgeSummary(
  written: string,
  { maxTokens, replacedTokens }: { readonly maxTokens: number; readonly replacedTokens: number },
  countTokens: (text: string) => number,
): { readonly text: string } | { readonly problem: string } {
  const text = cutToTokens(written.toWellFormed().trim(), maxTokens, countTokens);
  if (text === "") return { problem: "it was empty" };
  if (countTokens(text) >= replacedTokens) return { problem: "it was not smaller than what it should replace" };
  return { text };
}

function cutToTokens(text: string, maxTokens: number, countTokens: (text: string) => number): string {
  if (countTokens(text) <= maxTokens) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countTokens(text.slice(0, middle)) <= maxTokens) low = middle;
    else high = middle - 1;
  }
  const kept = text.slice(0, low);
  const end = Math.max(kept.lastIndexOf("\n"), kept.lastIndexOf(". "), kept.lastIndexOf("。"));
  return (end > kept.length / 2 ? kept.slice(0, end + 1) : kept).toWellFormed().trim();
}

function total(sizes: readonly Size[]): Size {
  return sizes.reduce((sum, size) => ({ messages: sum.messages + size.messages, tokens: sum.tokens + size.tokens }), {
    messages: 0,
    tokens: 0,
  });
}

function minus(size: Size, taken: Size = { messages: 0, tokens: 0 }): Size {
  return { messages: size.messages - taken.messages, tokens: size.tokens - taken.tokens };
}

function fits(size: Size, room: Size, share: number): boolean {
  return size.messages <= room.messages * share && size.tokens <= Math.max(0, room.tokens) * share;
}
