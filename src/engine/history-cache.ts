import type { LaneId } from "../kernel/ids.ts";
import type { Lanes } from "../store/lanes.ts";

/** What a lane holds from before the current run. */
export interface History {
  readonly lines: string[];
  /** Lines older than these, packed; see archive.ts. */
  readonly archive: Buffer | undefined;
}

/**
 * Keeps the history of recently used lanes in this process. Only a lane's owner appends to it, and whoever decides
 * about what its run has put up. Every run's last line is unique, so a copy with the same length and the same last line
 * is the same history, and one without a decision its run never read has not the same length.
 */
export function createHistoryCache(lanes: Lanes, maxBytes: number) {
  const kept = new Map<LaneId, { readonly history: History; bytes: number }>();
  let total = 0;

  function forget(lane: LaneId): void {
    const entry = kept.get(lane);
    if (entry === undefined) return;
    kept.delete(lane);
    total -= entry.bytes;
  }

  /** The lines that came after the known ones, or undefined when those are no longer how the journal begins. */
  async function readNewer(lane: LaneId, token: string, known: readonly string[], length: number) {
    if (known.length === 0 || known.length >= length) return undefined;
    const [first, ...newer] = await lanes.readJournal(lane, token, known.length - 1);
    return first === known.at(-1) ? newer.slice(0, length - known.length) : undefined;
  }

  return {
    /** The history of a lane of which Redis just said how long it is and what its last line reads. */
    async get(lane: LaneId, token: string, length: number, last: string): Promise<History> {
      // A lane that is new, or one that has rested: its journal is all in the archive.
      if (length === 0) return { lines: [], archive: await lanes.readArchive(lane) };
      const entry = kept.get(lane);
      if (entry !== undefined && entry.history.lines.length === length && entry.history.lines.at(-1) === last)
        return entry.history;
      const newer = entry === undefined ? undefined : await readNewer(lane, token, entry.history.lines, length);
      if (entry !== undefined && newer !== undefined) {
        // Others went on with the lane since; what is known is still how it began.
        entry.history.lines.push(...newer);
        const bytes = sizeOf(newer);
        entry.bytes += bytes;
        // It may have had to make room for others while this was read.
        if (kept.get(lane) === entry) total += bytes;
        return entry.history;
      }
      const [lines, archive] = await Promise.all([lanes.readJournal(lane, token), lanes.readArchive(lane)]);
      return { lines: lines.slice(0, length), archive };
    },

    /** Remembers what a lane holds after a run added `lines` to the history it was given, which grows in place. */
    extend(lane: LaneId, history: History, added: readonly string[]): void {
      const entry = kept.get(lane);
      const before = entry?.history === history ? entry.bytes : sizeOf(history.lines) + (history.archive?.length ?? 0);
      forget(lane);
      history.lines.push(...added);
      const bytes = before + sizeOf(added);
      if (bytes > maxBytes / 4) return;
      kept.set(lane, { history, bytes });
      total += bytes;
      // Insertion order is age: the first key is the lane unused for longest.
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break;
        forget(oldest);
      }
    },

    forget,
  };
}

function sizeOf(lines: readonly string[]): number {
  let sum = 0;
  for (const line of lines) sum += line.length;
  return sum;
}

export type HistoryCache = ReturnType<typeof createHistoryCache>;
