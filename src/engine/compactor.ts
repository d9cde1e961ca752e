import { describeError } from "../kernel/errors.ts";
import type { LaneId } from "../kernel/ids.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { JournalTail } from "../store/lane-contract.ts";
import type { Lanes } from "../store/lanes.ts";
import { packLines, unpackLines } from "./archive.ts";

/** How the journals of idle lanes are kept small. */
export interface CompactionLimits {
  /** A lane is compacted when it was used this long ago for the first time since, milliseconds. */
  readonly idleMs: number;
  /** An archive is packed as small as it gets when nothing was added to it for this long, milliseconds. */
  readonly restMs: number;
  /** Journals with fewer lines are left as they are. */
  readonly minLines: number;
  /** At most this many lines are kept in all, the oldest are dropped. */
  readonly keepLines: number;
}

export const DEFAULT_COMPACTION: CompactionLimits = {
  idleMs: 60_000,
  restMs: 24 * 3_600_000,
  minLines: 8,
  keepLines: 1_000,
};
const SWEEP_MS = 5_000;
const LANES_PER_SWEEP = 100;
/** Packing as small as it gets takes up to a third of a second each. */
const REPACKED_PER_SWEEP = 10;

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

  /** Compacts what rests in every partition; returns how many lanes became smaller. */
  async function sweep(): Promise<number> {
    let smaller = 0;
    for (let partition = 0; partition < lanes.partitions && !stopped; partition++) {
      const cold = await lanes.coldLanes(partition, clock.now() - limits.idleMs, LANES_PER_SWEEP);
      for (const lane of cold) if (await attempt(lane, compactLane)) smaller++;
      const resting = await lanes.restingLanes(partition, clock.now() - limits.restMs, REPACKED_PER_SWEEP);
      for (const lane of resting) if (await attempt(lane, repackLane)) smaller++;
    }
    return smaller;
  }

  /** One archive that cannot be read must not keep all the others waiting behind it. */
  async function attempt(lane: LaneId, make: typeof compactLane): Promise<boolean> {
    const lines = await lanes.readJournal(lane);
    const read = { length: lines.length, last: lines.at(-1) ?? "" };
    try {
      return await make(lanes, lane, lines, read, limits);
    } catch (error) {
      log.error({ lane, error: describeError(error) }, "a lane could not be compacted");
      await Promise.all([lanes.compact(lane, read, 0), lanes.repack(lane, read)]);
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

async function compactLane(
  lanes: Lanes,
  lane: LaneId,
  lines: readonly string[],
  read: JournalTail,
  limits: CompactionLimits,
): Promise<boolean> {
  if (lines.length < limits.minLines) {
    await lanes.compact(lane, read, 0);
    return false;
  }
  const archive = await lanes.readArchive(lane);
  const older = archive === undefined ? [] : unpackLines(archive);
  const all = dropOldestRuns([...older, ...lines], limits.keepLines);
  return lanes.compact(lane, read, lines.length, await packLines(all));
}

async function repackLane(lanes: Lanes, lane: LaneId, _lines: readonly string[], read: JournalTail): Promise<boolean> {
  const archive = await lanes.readArchive(lane);
  return lanes.repack(lane, read, archive === undefined ? undefined : await packLines(unpackLines(archive), "small"));
}

/** Drops whole runs from the front until at most `keepLines` lines are left. */
export function dropOldestRuns(lines: readonly string[], keepLines: number): readonly string[] {
  if (lines.length <= keepLines) return lines;
  const firstKept = lines.findIndex((line, index) => index >= lines.length - keepLines && line.startsWith(">"));
  return firstKept < 0 ? lines.slice(-keepLines) : lines.slice(firstKept);
}
