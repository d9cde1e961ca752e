/** What is known of a server's latest failures in a row. */
export interface Circuit {
  readonly failures: number;
  /** Not started again before this time, in milliseconds since 1970. */
  readonly until: number;
  readonly reason?: string;
}

/** Nothing has failed since the last success. */
export const CLOSED: Circuit = { failures: 0, until: 0 };

/** How many failures in a row switch a server off. */
const OFF_AFTER = 3;
const SECOND_TRY_MS = 2_000;
const OFF_MS = 60_000;
const MAX_OFF_MS = 15 * 60_000;

/**
 * After a failure: a server is started again at once, then after a moment, and from the third failure in a row it is off
 * for a minute, doubled by every further failure up to a quarter of an hour.
 */
export function afterFailure(circuit: Circuit, now: number, reason: string): Circuit {
  const failures = circuit.failures + 1;
  return { failures, until: now + waitMs(failures), reason };
}

/** How long nothing is started, and whether that counts as being off; `undefined` when it may be started. */
export function pauseOf(circuit: Circuit, now: number): { readonly ms: number; readonly off: boolean } | undefined {
  const ms = circuit.until - now;
  return ms > 0 ? { ms, off: circuit.failures >= OFF_AFTER } : undefined;
}

function waitMs(failures: number): number {
  if (failures >= OFF_AFTER) return Math.min(MAX_OFF_MS, OFF_MS * 2 ** (failures - OFF_AFTER));
  return failures === 1 ? 0 : SECOND_TRY_MS;
}
