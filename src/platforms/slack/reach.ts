import type { Clock } from "../../kernel/ports.ts";
import type { Taken } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import type { Said } from "./events.ts";
import { timeOf } from "./ids.ts";

/** Notes how far a channel or thread was read, once a message of it is kept or known not to be for us. */
export type Reach = (said: Said, thread: string | undefined, taken: Taken) => Promise<void>;

/** In a busy channel not every word that is not for us is worth a note: reading these again costs less. */
const IGNORED_EVERY_MS = 10_000;
const MOST = 2_000;

/** Creates the noting of how far was read. */
export function createReach(notes: PlatformNotes, clock: Clock): Reach {
  const noted = new Map<string, number>();

  return async ({ channel, ts, thread: within, direct }, thread, taken) => {
    if (taken === "ignored" && clock.now() - (noted.get(channel) ?? -Infinity) < IGNORED_EVERY_MS) return;
    noted.delete(channel);
    noted.set(channel, clock.now());
    const oldest = noted.keys().next().value;
    if (noted.size > MOST && oldest !== undefined) noted.delete(oldest);

    // A thread has its own history; a message that may begin one stands in its channel's as well.
    const keys = [
      ...(within === undefined || within === ts ? [channel] : []),
      ...(thread !== undefined && (taken !== "ignored" || direct) ? [`${channel}:${thread}`] : []),
    ];
    for (const key of keys) await notes.reach(key, ts, timeOf(ts));
  };
}
