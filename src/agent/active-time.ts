import type { JournalEntry } from "../engine/journal.ts";

/**
 * How long a run has been worked on, milliseconds: the time its recorded steps took and the present attempt, which began
 * at `begun`. Steps side by side count once; waiting for a person, for another try or for a worker does not count. Pure.
 */
export function activeMs(entries: readonly JournalEntry[], begun: number, now: number): number {
  const spans = entries.flatMap((entry) =>
    entry.kind === "step" ? [{ from: entry.at - entry.ms, to: entry.at }] : [],
  );
  spans.push({ from: begun, to: Math.max(begun, now) });
  spans.sort((a, b) => a.from - b.from);
  let sum = 0;
  let end = -Infinity;
  for (const { from, to } of spans) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

/** A length of time in words: `30 minutes`, `90 seconds`. */
export function describeMs(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  const [count, unit] = seconds >= 120 && seconds % 60 === 0 ? [seconds / 60, "minute"] : [seconds, "second"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
