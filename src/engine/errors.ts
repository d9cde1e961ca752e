import type { OutsideCode } from "../kernel/errors.ts";

/** Why a step did not give a value. `outcome-unknown`: a `once` effect was begun and nobody knows how it ended. */
export type StepErrorCode = OutsideCode | "outcome-unknown" | "invalid";

/** A step failed for good; recorded in the journal and thrown again on every replay. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
  readonly step: string;
  readonly code: StepErrorCode;

  constructor(step: string, code: StepErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.step = step;
    this.code = code;
  }
}

/**
 * The run is no longer this worker's: it was cancelled, taken over, or the worker lost touch. Whatever it still does
 * changes nothing. Handlers let it pass.
 */
export class RunLost extends Error {
  override readonly name = "RunLost";
}

/** The worker is stopping; the run is handed over as it stands. Handlers let it pass. */
export class WorkerDraining extends Error {
  override readonly name = "WorkerDraining";
}

/** A step waits before its next try; the run is parked until then. Handlers let it pass. */
export class StepWaits extends Error {
  override readonly name = "StepWaits";
  readonly waitMs: number;

  constructor(step: string, waitMs: number) {
    super(`step ${step} waits ${waitMs} ms before its next try`);
    this.waitMs = waitMs;
  }
}
