import { describeError } from "../kernel/errors.ts";
import type { Log } from "../kernel/ports.ts";
import { unpackLines } from "../engine/archive.ts";
import type { History } from "../engine/history-cache.ts";
import { parseLine, parseLines } from "../engine/journal.ts";
import { inboundOfRun, readRuns, type RunRecord } from "./runs.ts";
import { SUMMARY_STEP, summaryStepSchema, type SummaryStep } from "./steps.ts";

/** What came before a run, as far as it can matter to it. */
export interface Past {
  /** The newest runs, oldest first. */
  readonly runs: readonly RunRecord[];
  /** The newest attempt at a summary, with the summary that is in force after it. */
  readonly summary: SummaryStep | undefined;
  /** How many runs have begun since that attempt; all that are kept when there was none. */
  readonly runsSince: number;
}

/**
 * Reads what came before a run, for a model that reads `maxMessages` messages. A damaged archive is logged and left out:
 * a conversation goes on without its oldest part. What it finds in an archive it keeps for as long as the archive is.
 */
export function createHistoryReader(log: Log): (history: History, maxMessages: number) => Past {
  const known = new WeakMap<Buffer, Facts>();
  return ({ lines, archive }, maxMessages) => {
    // A run has two messages at least, what was asked and what was answered; commands are few.
    const wanted = Math.ceil(maxMessages / 2);
    const recent = newestRuns(lines, wanted);
    const facts = factsOf(lines);
    if (archive === undefined) return pastOf(recent.lines, facts, NO_FACTS);
    const before = known.get(archive);
    if (before !== undefined && recent.runs >= wanted) return pastOf(recent.lines, facts, before);
    const unpacked = unpackOrNothing(archive, log);
    const older = before ?? factsOf(unpacked);
    known.set(archive, older);
    if (recent.runs >= wanted) return pastOf(recent.lines, facts, older);
    return pastOf([...newestRuns(unpacked, wanted - recent.runs).lines, ...lines], facts, older);
  };
}

/** True when several people speak in a conversation, as far as these runs show it. */
export function isShared(runs: readonly RunRecord[]): boolean {
  const speakers = new Set<string>();
  for (const run of runs)
    for (const { workspaceId, identity, authorName, shared } of inboundOfRun(run)) {
      // Platforms name the author where others read along, and the door knows who spoke long ago.
      if (authorName !== undefined || shared === true) return true;
      // An account that was linked meanwhile is still the same speaker.
      speakers.add(identity ?? workspaceId);
    }
  return speakers.size > 1;
}

/** What is read off lines without parsing them all. */
interface Facts {
  readonly runs: number;
  readonly attempt: { readonly step: SummaryStep; readonly runsSince: number } | undefined;
}

const NO_FACTS: Facts = { runs: 0, attempt: undefined };

function factsOf(lines: readonly string[]): Facts {
  let runs = 0;
  let attempt: { line: string; at: number } | undefined;
  for (const line of lines) {
    if (line.startsWith(">")) runs += 1;
    else if (line.startsWith(SUMMARY_LINE)) attempt = { line, at: runs };
  }
  const step = attempt === undefined ? undefined : parseAttempt(attempt.line);
  if (step === undefined || attempt === undefined) return { runs, attempt: undefined };
  return { runs, attempt: { step, runsSince: runs - attempt.at } };
}

const SUMMARY_LINE = `={"s":"${SUMMARY_STEP}",`;

function parseAttempt(line: string): SummaryStep | undefined {
  const entry = parseLine(line);
  return entry.kind === "step" ? summaryStepSchema.safeParse(entry.outcome.value).data : undefined;
}

function pastOf(window: readonly string[], facts: Facts, older: Facts): Past {
  const runs = readRuns(parseLines(window));
  if (facts.attempt !== undefined) return { runs, summary: facts.attempt.step, runsSince: facts.attempt.runsSince };
  const runsSince = facts.runs + (older.attempt?.runsSince ?? older.runs);
  return { runs, summary: older.attempt?.step, runsSince };
}

/** The lines from the opening of the `count`th newest run on, or all of them. */
function newestRuns(
  lines: readonly string[],
  count: number,
): { readonly lines: readonly string[]; readonly runs: number } {
  let runs = 0;
  for (let index = lines.length - 1; index >= 0; index--) {
    if (lines[index]?.startsWith(">") !== true) continue;
    runs += 1;
    if (runs >= count) return { lines: lines.slice(index), runs };
  }
  return { lines, runs };
}

function unpackOrNothing(archive: Buffer, log: Log): readonly string[] {
  try {
    return unpackLines(archive);
  } catch (error) {
    log.error({ error: describeError(error) }, "an archive could not be read; the conversation goes on without it");
    return [];
  }
}
