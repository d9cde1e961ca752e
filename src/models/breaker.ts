import type { OutsideCode } from "../kernel/errors.ts";

/** Whether a model entry may be asked now. */
export type Pass =
  /** Ask; `failures` have been counted lately, so that an answer is worth reporting. */
  | { readonly kind: "go"; readonly failures: number }
  /** Ask: this call alone finds out whether the entry is well again. Its end must be reported. */
  | { readonly kind: "probe" }
  /** Do not ask before `ms` milliseconds have passed; `code` is what the last failure was. */
  | { readonly kind: "wait"; readonly ms: number; readonly code: OutsideCode };

/** How a call that got its pass ended. */
export type CallEnd =
  | { readonly how: "answered" }
  /** `waitMs` is how long the provider asked to be left alone, when it did. */
  | { readonly how: "failed"; readonly code: OutsideCode; readonly waitMs?: number }
  /** The call says nothing about the entry: it was stopped, or never left this process. */
  | { readonly how: "dropped" };

/** What all processes know together about which entries are in trouble. Both methods may be repeated with one token. */
export interface Breaker {
  /** Asks for a pass for the call `token`; a probe nobody reports on is given up after `probeMs`. */
  pass(entry: string, call: { readonly token: string; readonly probeMs: number }): Promise<Pass>;
  report(entry: string, token: string, end: CallEnd): Promise<void>;
  /** What {@link pass} would say, without taking a probe. */
  look(entry: string): Promise<Pass>;
}
