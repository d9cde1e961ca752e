import type { ApprovalView } from "./view.ts";

/** Who decides. Administrators may decide about every call, anyone else about those that are made for them. */
export interface Decider {
  /** As people read it. */
  readonly name: string;
  readonly admin: boolean;
}

/** What came of a decision. `decided`: somebody, or the clock, was faster. */
export type DecideOutcome =
  | { readonly outcome: "recorded" | "decided"; readonly approval: ApprovalView }
  | { readonly outcome: "forbidden"; readonly approval: ApprovalView }
  | { readonly outcome: "unknown" };

/** A wish to decide. `operation` is the same on every repetition: its own decision is then `recorded` again. */
export interface DecideRequest {
  readonly id: string;
  readonly verdict: "approve" | "deny";
  readonly by: Decider;
  readonly operation: string;
}
