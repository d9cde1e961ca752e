import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { StepFailed } from "../engine/errors.ts";
import type { Ending, Run } from "../engine/run.ts";
import { BudgetRefused, type BudgetProposal } from "../models/budget-refused.ts";
import { ADMINISTRATORS, callHash } from "./approvals/card.ts";
import { approvalsOf } from "./approvals/journal.ts";
import { waitForApprovals, type WaitParts } from "./approvals/wait.ts";
import { extendedStep, extensionStep, proposalStep, readRun } from "./runs.ts";

export interface ExtendParts extends WaitParts {
  /** Where nothing is counted there is nothing to extend. */
  readonly extension?: {
    /** Who may let a budget grow, as configured now. What the whole installation shares is the administrators' matter. */
    readonly by: () => "person" | "admin" | "nobody";
    /** Repeating it with the same id changes nothing. Throws when the budget cannot be extended. */
    readonly extend: (proposal: BudgetProposal, id: string) => Promise<void>;
    /** The proposal in words. */
    readonly describe: (proposal: BudgetProposal) => { readonly budget: string; readonly add: string };
  };
}

/**
 * What becomes of a run whose model call a budget did not allow: it waits until somebody lets the budget grow. `extended`
 * when somebody did, `refused` when nobody may or will; otherwise the run waits.
 */
export async function afterRefusal(
  run: Run,
  turn: number,
  refusal: StepFailed,
  person: { readonly workspaceId: WorkspaceId; readonly conversationId: ConversationId },
  parts: ExtendParts,
): Promise<"extended" | "refused" | Ending> {
  const { extension } = parts;
  if (refusal.code !== "budget-used-up" || extension === undefined) return "refused";
  // Recorded, because what was refused is known only to the attempt that asked.
  const proposal = await run.step(proposalStep(turn), () =>
    Promise.resolve(
      refusal.cause instanceof BudgetRefused && extension.by() !== "nobody" ? refusal.cause.proposal : null,
    ),
  );
  if (proposal === null) return "refused";
  const step = extensionStep(turn);
  const asked = approvalsOf(readRun(run.id, run.entries)).get(step);
  if (asked?.decision === undefined) {
    const args = extension.describe(proposal);
    const call = { step, tool: EXTEND, args, hash: callHash(EXTEND, JSON.stringify(proposal)), asked };
    const byAdmin = extension.by() === "admin" || proposal.of === "installation";
    const askedOf = byAdmin ? ADMINISTRATORS : person.workspaceId;
    return waitForApprovals(run, [{ ...call, reason: refusal.message }], askedOf, parts);
  }
  if (asked.decision.state !== "approved") return "refused";
  await run.step(extendedStep(turn), () => extension.extend(proposal, asked.card.id));
  return "extended";
}

/** How the card names what is to be approved. */
const EXTEND = "extend_budget";
