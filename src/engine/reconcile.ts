import type { LaneId } from "../kernel/ids.ts";
import type { Log } from "../kernel/ports.ts";
import type { Lanes } from "../store/lanes.ts";

/** In every so many rounds all lanes are looked through for runs this worker does not know of. */
const ORPHAN_ROUNDS = 6;

/** A worker's runs as it knows them. */
export interface Held {
  readonly worker: string;
  readonly runs: ReadonlyMap<string, { readonly lane: LaneId }>;
}

/**
 * Compares what Redis says is a worker's with what that holds; what differs twice in a row is put right. A run the worker
 * knows nothing of is handed back, as a failed attempt so that this comes to an end; one that is not its own any more is
 * given to `onLost`.
 */
export function createReconciler(parts: {
  readonly lanes: Lanes;
  readonly log: Log;
  readonly held: () => Held;
  readonly onLost: (token: string) => void;
}) {
  const { lanes, log } = parts;
  let lostBefore = new Set<string>();
  let orphansBefore = new Set<string>();
  let rounds = 0;

  async function findLost({ runs }: Held): Promise<Set<string>> {
    const lost = new Set<string>();
    for (let partition = 0; partition < lanes.partitions; partition++) {
      const here = [...runs].filter(([, { lane }]) => lanes.partitionOf(lane) === partition);
      const holders = await lanes.holders(
        partition,
        here.map(([, { lane }]) => lane),
      );
      for (const [index, [token]] of here.entries()) if (holders[index] !== token) lost.add(token);
    }
    return lost;
  }

  async function handBackOrphans({ worker }: Held): Promise<Set<string>> {
    const orphans = new Set<string>();
    for (let partition = 0; partition < lanes.partitions; partition++) {
      for (const [token, lane] of await lanes.held(partition, worker)) {
        if (parts.held().runs.has(token)) continue;
        orphans.add(token);
        if (!orphansBefore.has(token)) continue;
        log.warn({ token, lane }, "a run was ours without our knowing; it is handed back");
        await lanes.park({ lane, token, waitMs: 0, mail: false, failed: true, lines: [] });
      }
    }
    return orphans;
  }

  return {
    async round(): Promise<void> {
      const held = parts.held();
      const lost = await findLost(held);
      for (const token of lost) if (lostBefore.has(token)) parts.onLost(token);
      lostBefore = lost;
      if (rounds++ % ORPHAN_ROUNDS === 0 || orphansBefore.size > 0) orphansBefore = await handBackOrphans(held);
    },
  };
}
