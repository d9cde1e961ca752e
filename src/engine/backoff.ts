/** How often a failing step is tried and how long it waits in between. */
export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly tries: number;
  /** The wait after the first failed try, milliseconds; doubled after each further one. */
  readonly baseMs: number;
  readonly maxMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { tries: 4, baseMs: 500, maxMs: 30_000 };

/**
 * The wait after `failed` failed tries: exponential with jitter between half and the whole, so that many runs hit by one
 * outage do not come back as one wave. `chance` is in [0, 1). A wait asked for by the other side is a lower bound.
 */
export function backoffMs(policy: RetryPolicy, failed: number, chance: number, askedMs = 0): number {
  const full = Math.min(policy.maxMs, policy.baseMs * 2 ** (failed - 1));
  return Math.max(1, Math.round(Math.max(askedMs, full * (0.5 + chance / 2))));
}
