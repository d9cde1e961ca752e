import { describeError } from "../kernel/errors.ts";
import { laneParts } from "../kernel/ids.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { Lanes } from "../store/lanes.ts";

const LOOK_MS = 15_000;
/** Looking at more lanes than this would cost more than the figure is worth. */
const MAX_LANES = 500;

/** Tells now and then how long the oldest waiting message of a kind of lane has waited. Returns the way to stop. */
export function watchOldest(parts: {
  readonly lanes: Pick<Lanes, "partitions" | "active" | "waiting">;
  readonly kind: string;
  /** Milliseconds; 0 when nothing waits. */
  readonly onAge: (ageMs: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}): () => void {
  const timer = setInterval(() => {
    oldestWaiting(parts.lanes, parts.kind)
      .then((at) => parts.onAge(at === undefined ? 0 : Math.max(0, parts.clock.now() - at)))
      .catch((error: unknown) =>
        parts.log.debug({ error: describeError(error) }, "could not look for waiting messages"),
      );
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

async function oldestWaiting(
  lanes: Pick<Lanes, "partitions" | "active" | "waiting">,
  kind: string,
): Promise<number | undefined> {
  let oldest: number | undefined;
  for (let partition = 0; partition < lanes.partitions; partition++) {
    const active = [...(await lanes.active(partition)).keys()].filter((lane) => laneParts(lane).kind === kind);
    for (const lane of active.slice(0, MAX_LANES)) {
      const [first] = await lanes.waiting(lane);
      const at = first === undefined ? undefined : receivedAt(first.body);
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
  }
  return oldest;
}

function receivedAt(body: string): number | undefined {
  const match = /"at":(\d+)\}$/.exec(body);
  return match === null ? undefined : Number(match[1]);
}
