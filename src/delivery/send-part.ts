import { describeError, mayHaveHappened, OutsideError } from "../kernel/errors.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RetryPolicy } from "../engine/backoff.ts";
import type { Run } from "../engine/run.ts";
import type { Part, PlatformAdapter, Posted } from "../platforms/contract.ts";

export interface SendPart {
  readonly index: number;
  readonly part: Part;
  readonly draft: string | undefined;
  /** After this moment it is not sent any more, milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Platforms are tried until the message is too old: an outage of hours is no reason to lose an answer. */
export const SEND_RETRY: RetryPolicy = { tries: Number.MAX_SAFE_INTEGER, baseMs: 1_000, maxMs: 60_000 };

/**
 * Posts one part as a step of its own, however often the process dies meanwhile. Before every try a mark is written: one
 * that is found again was left by a try of which nobody knows whether it arrived. A try that was refused did not.
 */
export async function sendPart(
  run: Run,
  { index, part, draft, expiresAt }: SendPart,
  adapter: PlatformAdapter,
  clock: Clock,
): Promise<Posted> {
  const marks = new Map(
    run.entries.flatMap((entry) => (entry.kind === "step" ? [[entry.step, entry.at] as const] : [])),
  );
  return run.step(
    `send:${index}`,
    async ({ attempt, signal }) => {
      const begun = `sending:${index}:${attempt}`;
      const unsure = `unsure:${index}`;
      const since = marks.get(unsure) ?? marks.get(begun);
      if (clock.now() > expiresAt) throw new OutsideError("it is too old to be sent now", { code: "timeout" });
      await run.step(begun, () => Promise.resolve(true));
      try {
        return await adapter.send(part, { repeatSince: since, draft, signal });
      } catch (error) {
        signal.throwIfAborted();
        const failure = error instanceof OutsideError ? error : unexpected(error);
        // What is unknown stays unknown, also when a later try is refused.
        if (since !== undefined || mayHaveHappened(failure)) await run.step(unsure, () => Promise.resolve(true));
        throw failure;
      }
    },
    { retry: SEND_RETRY },
  );
}

/** An adapter's own mistake must not be repeated without end, nor lose its cause. */
function unexpected(error: unknown): OutsideError {
  return new OutsideError(describeError(error), { code: "failed", cause: error });
}
