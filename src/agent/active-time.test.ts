import { expect, test } from "vitest";
import type { JournalEntry } from "../engine/journal.ts";
import { parseMessageId, parseRunId } from "../kernel/ids.ts";
import { activeMs, describeMs } from "./active-time.ts";

const step = (at: number, ms: number): JournalEntry => ({
  kind: "step",
  step: `s${at}`,
  outcome: { value: 1 },
  at,
  ms,
  tries: 1,
});
const opened: JournalEntry = { kind: "opened", runId: parseRunId("r"), id: parseMessageId("m"), message: {} };

test.each<{ given: string; entries: readonly JournalEntry[]; begun: number; now: number; ms: number }>([
  { given: "a run that begins", entries: [opened], begun: 50, now: 50, ms: 0 },
  { given: "one attempt", entries: [opened, step(80, 20)], begun: 50, now: 100, ms: 50 },
  { given: "steps of an earlier attempt", entries: [step(1000, 300)], begun: 5000, now: 5010, ms: 310 },
  {
    given: "steps side by side",
    entries: [step(1000, 300), step(900, 100), step(1100, 200)],
    begun: 9,
    now: 9,
    ms: 400,
  },
  { given: "days of waiting", entries: [step(10, 10), opened], begun: 86_400_000, now: 86_400_001, ms: 11 },
  { given: "a clock that was set back", entries: [step(1000, 10)], begun: 500, now: 400, ms: 10 },
])("$given: $ms ms of work", ({ entries, begun, now, ms }) => {
  expect(activeMs(entries, begun, now)).toBe(ms);
});

test.each([
  [1_800_000, "30 minutes"],
  [90_000, "90 seconds"],
  [60_000, "60 seconds"],
  [1000, "1 second"],
  [1, "1 second"],
])("%d ms are %s", (ms, words) => {
  expect(describeMs(ms)).toBe(words);
});
