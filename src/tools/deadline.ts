/** How long a piece of work may take, who else may end it, and the error it ends with when it is late. */
export interface Deadline {
  readonly ms: number;
  readonly signal: AbortSignal;
  readonly late: () => Error;
}

/**
 * Runs `work` with a signal that aborts at the deadline or together with `deadline.signal`. Settles at that moment,
 * even when the work ignores its signal: with the `late` error, or with the reason of the outer abort.
 */
export async function withDeadline<T>(deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  deadline.signal.throwIfAborted();
  const limit = new AbortController();
  const either = AbortSignal.any([deadline.signal, limit.signal]);
  const ended = Promise.withResolvers<never>();
  // Registered before the work can add listeners of its own: whatever the work throws on abort comes second.
  const end = () => ended.reject(either.reason);
  either.addEventListener("abort", end, { once: true });
  const timer = setTimeout(() => limit.abort(deadline.late()), deadline.ms);
  try {
    return await Promise.race([ended.promise, work(either)]);
  } finally {
    clearTimeout(timer);
    either.removeEventListener("abort", end);
  }
}
