/** The running deadlines of one call. Always {@link Deadlines.stop} them. */
export interface Deadlines {
  /** Aborts when a deadline passes, and on {@link stop}. */
  readonly signal: AbortSignal;
  /** What took too long, for instance `sent nothing for 60 s`; undefined while every deadline holds. */
  passed(): string | undefined;
  /** Restarts the waiting time: from now, the next sign of life has `ms` milliseconds. */
  waitFor(ms: number, complaint: string): void;
  stop(): void;
}

/** Starts the deadline for the whole call; {@link Deadlines.waitFor} adds the one for the next sign of life. */
export function startDeadlines(totalMs: number): Deadlines {
  const controller = new AbortController();
  let passed: string | undefined;
  const expire = (complaint: string) => () => {
    passed ??= complaint;
    controller.abort();
  };
  const total = setTimeout(expire(`took longer than ${seconds(totalMs)}`), totalMs);
  let gap: NodeJS.Timeout | undefined;
  return {
    signal: controller.signal,
    passed: () => passed,
    waitFor(ms, complaint) {
      clearTimeout(gap);
      gap = setTimeout(expire(`${complaint} for ${seconds(ms)}`), ms);
    },
    stop() {
      clearTimeout(total);
      clearTimeout(gap);
      // Frees the connection of a reply nobody reads to its end.
      controller.abort();
    },
  };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
