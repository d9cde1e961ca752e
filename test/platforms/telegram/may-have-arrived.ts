import { OutsideError } from "../../../src/kernel/errors.ts";

/** What the outbox makes of a failure: after these, the next try carries the mark of a repeat. */
const UNSURE: ReadonlySet<string> = new Set(["timeout", "unavailable", "garbled", "failed", "cut-short"]);

/** Whether what was sent may have arrived although sending failed. */
export function mayHaveArrived(error: unknown): boolean {
  return error instanceof OutsideError && UNSURE.has(error.code);
}
