import { describeError } from "../kernel/errors.ts";
import type { Log } from "../kernel/ports.ts";
import { unpackLines } from "../engine/archive.ts";
import type { History } from "../engine/history-cache.ts";
import { parseLines } from "../engine/journal.ts";
import { inboundOfRun, readRuns, type RunRecord } from "./runs.ts";

/**
 * The newest runs before this one that can matter to a model that reads `maxMessages` messages. A damaged archive is
 * logged and left out: a conversation goes on without its oldest part.
 */
export function readHistory(history: History, maxMessages: number, log: Log): RunRecord[] {
  const { lines, archive } = history;
  // A run has two messages at least, what was asked and what was answered; commands are few.
  const wanted = Math.ceil(maxMessages / 2);
  const recent = newestRuns(lines, wanted);
  if (recent.runs >= wanted || archive === undefined) return readRuns(parseLines(recent.lines));
  const older = newestRuns(unpackOrNothing(archive, log), wanted - recent.runs);
  return readRuns(parseLines([...older.lines, ...lines]));
}

/** True when several people speak in a conversation, as far back as it was read. */
export function isShared(runs: readonly RunRecord[]): boolean {
  const speakers = new Set<string>();
  for (const run of runs)
    for (const { workspaceId, identity, authorName } of inboundOfRun(run)) {
      // Platforms name the author where others read along.
      if (authorName !== undefined) return true;
      // An account that was linked meanwhile is still the same speaker.
      speakers.add(identity ?? workspaceId);
    }
  return speakers.size > 1;
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
