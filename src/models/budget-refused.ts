import { OutsideError } from "../kernel/errors.ts";

/** More of a budget, as somebody may allow it. Money is in millionths of the currency's unit. */
export interface BudgetProposal {
  readonly of: string;
  readonly per: string;
  readonly add: { readonly tokens?: number; readonly money?: number; readonly steps?: number };
}

/**
 * A model was not asked because a budget does not allow it. Nothing is held and nothing was spent, so the step may be
 * tried again as it is when more was allowed or the budget has begun anew.
 */
export class BudgetRefused extends OutsideError {
  /** What would let this step go on. */
  readonly proposal: BudgetProposal;
  /** When the budget begins anew, milliseconds since 1970; undefined when it never does. */
  readonly resetsAt: number | undefined;

  constructor(message: string, options: { proposal: BudgetProposal; resetsAt: number | undefined }) {
    super(message, { code: "budget-used-up" });
    this.proposal = options.proposal;
    this.resetsAt = options.resetsAt;
  }
}
