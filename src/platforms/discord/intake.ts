import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";

/** Takes events in: those of one channel one after the other, each again and again until it is kept. */
export interface Intake {
  /**
   * `floor` is the id before which everything of the channel is settled while this waits. A job that is `final` is tried
   * once even after the abort: nobody can fetch it later.
   */
  add(channel: string, floor: string, job: () => Promise<void>, options?: { readonly final: boolean }): void;
  /** Keeps `lowest` from going beyond `floor` until the function it gives is called. */
  hold(floor: string): () => void;
  /** The lowest `floor` of what is not settled yet. */
  lowest(): string | undefined;
  /** Resolves when nothing is under way any more; after the abort nothing is tried again. */
  settled(): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
// Discord cannot be told to wait. With more than this in memory it is better to hang up and to fetch what was missed.
const MAX_WAITING = 20_000;

export interface IntakeParts {
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told when an event could not be kept (with the reason), and when events are kept again. Must not throw. */
  readonly onTrouble: (reason: string | undefined) => void;
  /** Told of each event that is settled, by its `floor`. Must not reject. */
  readonly onSettled: (floor: string) => Promise<void>;
  /** Told once when too much waits. Must not throw. */
  readonly onOverflow: () => void;
}

/** Creates an intake that works until `signal` aborts. */
export function createIntake({ log, signal, onTrouble, onSettled, onOverflow }: IntakeParts): Intake {
  const lanes = new Map<string, Promise<void>>();
  const open = new Set<{ readonly floor: bigint }>();
  let failing = 0;

  async function untilKept(job: () => Promise<void>, final: boolean): Promise<boolean> {
    for (let tries = 0; !signal.aborted || (final && tries === 0); tries++) {
      try {
        await job();
        if (tries > 0 && --failing === 0) onTrouble(undefined);
        return true;
      } catch (error) {
        if (tries === 0) failing++;
        const reason = describeError(error);
        log.warn({ error: reason, tries: tries + 1 }, "an event of Discord could not be kept yet");
        onTrouble(reason);
        await delay(Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS), undefined, { signal }).catch(
          () => undefined,
        );
      }
    }
    return false;
  }

  return {
    add(channel, floor, job, { final } = { final: false }) {
      const entry = { floor: BigInt(floor) };
      open.add(entry);
      if (open.size === MAX_WAITING) onOverflow();
      const before = lanes.get(channel) ?? Promise.resolve();
      const done = before.then(async () => {
        const kept = await untilKept(job, final);
        if (lanes.get(channel) === done) lanes.delete(channel);
        // What was given up because of the abort stays open, so that nobody believes it was read.
        if (!kept || signal.aborted) return;
        open.delete(entry);
        await onSettled(floor);
      });
      lanes.set(channel, done);
    },
    hold(floor) {
      const entry = { floor: BigInt(floor) };
      open.add(entry);
      return () => void open.delete(entry);
    },
    lowest() {
      let lowest: bigint | undefined;
      for (const { floor } of open) if (lowest === undefined || floor < lowest) lowest = floor;
      return lowest?.toString();
    },
    async settled() {
      while (lanes.size > 0) await Promise.all(lanes.values());
    },
  };
}
