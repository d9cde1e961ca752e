import { describeError } from "../kernel/errors.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { RedisConnection } from "../store/connection.ts";
import type { Lanes } from "../store/lanes.ts";

/** How often a worker shows that it lives, milliseconds. */
const BEAT_MS = 150;
/** A worker whose channel nobody listens to is reaped when its last beat is this old, milliseconds. */
const LATE_MS = 250;
/** Without a successful beat for this part of its lease a worker drops its work itself: the lease is about to end. */
const SELF_ABORT_SHARE = 0.7;
/** After an outage others may still be on their way back: nobody counts as absent before this, milliseconds. */
const REUNION_MS = 2_000;

export interface HeartbeatParts {
  readonly lanes: Lanes;
  readonly redis: RedisConnection;
  readonly clock: Clock;
  readonly log: Log;
  /** This worker was reaped, or lost touch for so long that it must assume so. */
  readonly onGone: () => void;
  readonly onReaped: (runs: number) => void;
}

/** The channel on which a worker listens for hints; that it listens at all is its presence. */
export const workerChannel = (worker: string): string => `parley:worker:${worker}`;

/**
 * Keeps one worker's lease in every partition, wakes what is due there, and looks after the other workers: one whose
 * socket closed is found at once by its missing presence, one that hangs when its lease ends.
 */
export function startHeartbeat(worker: string, parts: HeartbeatParts) {
  const { lanes, redis, clock, log } = parts;
  const partitions = Array.from({ length: lanes.partitions }, (_, index) => index);
  const wakeTimers = new Map<number, NodeJS.Timeout>();
  let stopped = false;
  let beating = false;
  let lastSuccess = clock.monotonic();
  let presenceCountsFrom = lastSuccess;

  async function beat(partition: number, register: boolean): Promise<readonly string[]> {
    const reply = await lanes.beat(partition, worker, register);
    if (stopped) return [];
    if (!reply.registered) {
      gone("another worker took over its runs");
      return [];
    }
    if (reply.taken > 0) parts.onReaped(reply.taken);
    if (reply.nextWakeMs !== undefined && reply.nextWakeMs < BEAT_MS) wakeAfter(partition, reply.nextWakeMs);
    return reply.others;
  }

  function wakeAfter(partition: number, ms: number): void {
    clearTimeout(wakeTimers.get(partition));
    // A hair later than due: Redis compares whole milliseconds.
    wakeTimers.set(
      partition,
      setTimeout(() => void beat(partition, false).catch(() => {}), ms + 1),
    );
  }

  async function round(): Promise<void> {
    // Counted from before the question: the lease began at some time before its answer arrived.
    const askedAt = clock.monotonic();
    const others = await Promise.all(partitions.map((partition) => beat(partition, false)));
    lastSuccess = askedAt;
    await reapAbsent(others[0] ?? []);
  }

  // PUBSUB NUMSUB sees the listeners of one Redis node only; on a cluster the lease alone decides.
  async function reapAbsent(others: readonly string[]): Promise<void> {
    if (!lanes.oneSlot || others.length === 0 || !presenceCounts()) return;
    const counts = (await redis.call("PUBSUB", "NUMSUB", ...others.map(workerChannel))) as unknown[];
    // The outage may have come between the question and its answer.
    if (!presenceCounts()) return;
    for (const [index, other] of others.entries()) {
      if (Number(counts[index * 2 + 1]) > 0) continue;
      const taken = await Promise.all(partitions.map((partition) => lanes.reap(partition, other, LATE_MS)));
      const runs = taken.reduce((sum, count) => sum + Math.max(0, count), 0);
      if (taken.some((count) => count >= 0)) {
        log.warn({ worker: other, runs }, "a worker died; its runs are taken over");
        parts.onReaped(runs);
      }
    }
  }

  function gone(why: string): void {
    if (stopped) return;
    stop();
    log.warn({ worker, why }, "this worker's lease is gone; its work is dropped");
    parts.onGone();
  }

  function tick(): void {
    if (clock.monotonic() - lastSuccess > lanes.limits.leaseMs * SELF_ABORT_SHARE)
      return gone("it had no contact with Redis for too long");
    if (beating) return;
    beating = true;
    round()
      .catch((error: unknown) => log.warn({ worker, error: describeError(error) }, "a heartbeat failed"))
      .finally(() => {
        beating = false;
      });
  }

  const timer = setInterval(tick, BEAT_MS);

  const presenceCounts = () => !stopped && clock.monotonic() >= presenceCountsFrom;

  function onReconnect(): void {
    presenceCountsFrom = clock.monotonic() + REUNION_MS;
  }

  function stop(): void {
    stopped = true;
    redis.off("ready", onReconnect);
    clearInterval(timer);
    for (const pending of wakeTimers.values()) clearTimeout(pending);
  }

  return {
    /** Registers in every partition; call once, before the first claim. */
    async register(): Promise<void> {
      const askedAt = clock.monotonic();
      await Promise.all(partitions.map((partition) => beat(partition, true)));
      lastSuccess = askedAt;
      if (!stopped) redis.on("ready", onReconnect);
    },
    /** True while beats arrive, else what is wrong. */
    healthy(): true | string {
      if (stopped) return "this worker lost its lease and is registering again";
      const silentMs = clock.monotonic() - lastSuccess;
      return silentMs < 2_000 ? true : `no contact with Redis for ${Math.round(silentMs / 1000)} s`;
    },
    /** Beats at once in the partition of a run that waits only briefly. */
    wakeAfter(partition: number, ms: number): void {
      if (!stopped && ms < BEAT_MS) wakeAfter(partition, ms);
    },
    stop,
  };
}

export type Heartbeat = ReturnType<typeof startHeartbeat>;
