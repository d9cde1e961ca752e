import { OutsideError } from "../kernel/errors.ts";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";

/** More of a budget, as somebody may allow it. Money is in millionths of the currency's unit. */
export interface BudgetProposal {
  /** Whose budgets they are. */
  readonly scope: {
    readonly workspaceId: WorkspaceId;
    readonly conversationId: ConversationId;
    readonly scheduleId?: string;
  };
  readonly of: "person" | "conversation" | "schedule" | "task" | "installation";
  readonly per: "day" | "month" | "total";
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
