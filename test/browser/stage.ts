import { afterAll } from "vitest";

/** Collects what a group of tests has started. */
export interface Stage {
  /** Has this called when the tests of the group are over, whatever came of them; the last first. */
  readonly until: (end: () => Promise<unknown>) => void;
}

/** Opens a stage for the group of tests in whose body it is called. */
export function openStage(): Stage {
  const ends: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    const failures: unknown[] = [];
    for (const end of ends.toReversed()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, "What the tests started did not end");
  });
  return { until: (end) => void ends.push(end) };
}
