import { describeError } from "../kernel/errors.ts";
import type { LaneId } from "../kernel/ids.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { Lanes } from "../store/lanes.ts";
import { packLines, unpackLines } from "./archive.ts";

/** How the journals of idle lanes are kept small. */
export interface CompactionLimits {
  /** A lane is compacted when it was idle for this long, milliseconds. */
  readonly idleMs: number;
  /** Journals with fewer lines are left as they are. */
  readonly minLines: number;
  /** At most this many lines are kept in all, the oldest are dropped. */
  readonly keepLines: number;
}

export const DEFAULT_COMPACTION: CompactionLimits = { idleMs: 60_000, minLines: 8, keepLines: 1_000 };
const SWEEP_MS = 5_000;
const LANES_PER_SWEEP = 100;
/** An empty journal means that there is no archive either, so compaction always leaves lines behind. */
const LEAVE_LINES = 1;

/**
 * Moves the journals of lanes that rest into compressed archives, in the background. Every replacement is one atomic
 * step that does nothing when the lane was used meanwhile, so any number of processes may do it.
 */
export function startCompactor(parts: {
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: CompactionLimits;
}) {
  const { lanes, clock, log, limits = DEFAULT_COMPACTION } = parts;
  let stopped = false;
  let sweeping = false;

  /** Compacts what rests in every partition; returns how many lanes were compacted. */
  async function sweep(): Promise<number> {
    let compacted = 0;
    for (let partition = 0; partition < lanes.partitions && !stopped; partition++) {
      const cold = await lanes.coldLanes(partition, clock.now() - limits.idleMs, LANES_PER_SWEEP);
      for (const lane of cold) if (await compactOrSkip(partition, lane)) compacted++;
    }
    return compacted;
  }

  /** One archive that cannot be read must not keep all the others waiting behind it. */
  async function compactOrSkip(partition: number, lane: LaneId): Promise<boolean> {
    try {
      return await compactLane(lanes, partition, lane, limits);
    } catch (error) {
      log.error({ lane, error: describeError(error) }, "a lane could not be compacted");
      await lanes.warm(partition, lane);
      return false;
    }
  }

  const timer = setInterval(() => {
    if (sweeping) return;
    sweeping = true;
    sweep()
      .catch((error: unknown) => log.warn({ error: describeError(error) }, "compacting failed"))
      .finally(() => {
        sweeping = false;
      });
  }, SWEEP_MS);

  return {
    sweep,
    stop(): void {
      stopped = true;
      clearInterval(timer);
    },
  };
}

async function compactLane(lanes: Lanes, partition: number, lane: LaneId, limits: CompactionLimits): Promise<boolean> {
  const [lines, archive] = await Promise.all([lanes.readJournal(lane), lanes.readArchive(lane)]);
  const last = lines.at(-1);
  if (last === undefined || lines.length < limits.minLines) {
    await lanes.warm(partition, lane);
    return false;
  }
  const older = archive === undefined ? [] : unpackLines(archive);
  const trim = lines.length - LEAVE_LINES;
  const all = dropOldestRuns([...older, ...lines.slice(0, trim)], limits.keepLines);
  return lanes.compact(lane, { length: lines.length, last }, trim, packLines(all));
}

/** Drops whole runs from the front until at most `keepLines` lines are left. */
export function dropOldestRuns(lines: readonly string[], keepLines: number): readonly string[] {
  if (lines.length <= keepLines) return lines;
  const firstKept = lines.findIndex((line, index) => index >= lines.length - keepLines && line.startsWith(">"));
  return firstKept < 0 ? lines.slice(-keepLines) : lines.slice(firstKept);
}
