import { mayHaveHappened, OutsideError } from "../kernel/errors.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { PlatformAdapter } from "../platforms/contract.ts";

/** Sends to one platform at a time; further ones wait outside, holding nothing. */
const MAX_IN_FLIGHT = 64;
/** After this many failures in a row without an answer the platform is left alone. */
const FAILURES = 5;
/** For this long, milliseconds; then one send tries whether it is back. */
const REST_MS = 15_000;
/** How soon a send comes back that found no room, milliseconds. */
const NO_ROOM_MS = 500;

/**
 * Keeps a platform that hangs from taking the room of all others: few sends at a time, and none for a while when it does
 * not answer. What is refused here was certainly not sent.
 */
export function withBulkhead(adapter: PlatformAdapter, { clock, log }: { clock: Clock; log: Log }): PlatformAdapter {
  let inFlight = 0;
  let failures = 0;
  let restUntil = 0;

  function refuseIfFull(): void {
    const rest = restUntil - clock.monotonic();
    if (failures >= FAILURES && (rest > 0 || inFlight > 0))
      throw new OutsideError(`${adapter.name} does not answer and is left alone for a while`, {
        code: "overloaded",
        retry: { kind: "after", ms: Math.max(rest, NO_ROOM_MS) },
      });
    if (inFlight >= MAX_IN_FLIGHT)
      throw new OutsideError(`${MAX_IN_FLIGHT} messages are on their way to ${adapter.name} already`, {
        code: "overloaded",
        retry: { kind: "after", ms: NO_ROOM_MS },
      });
  }

  return {
    ...adapter,
    async send(part, context) {
      refuseIfFull();
      inFlight += 1;
      try {
        const posted = await adapter.send(part, context);
        if (failures >= FAILURES) log.info({ platform: adapter.name }, "the platform answers again");
        failures = 0;
        return posted;
      } catch (error) {
        const isSilent = !(error instanceof OutsideError) || mayHaveHappened(error) || error.code === "overloaded";
        failures = isSilent ? failures + 1 : 0;
        if (failures >= FAILURES) {
          if (failures === FAILURES) log.warn({ platform: adapter.name }, "the platform does not answer");
          restUntil = clock.monotonic() + REST_MS;
        }
        throw error;
      } finally {
        inFlight -= 1;
      }
    },
  };
}
