import type { ConversationId, RunId } from "../../kernel/ids.ts";
import type { ApprovalCard } from "../../kernel/messages.ts";
import type { ApprovalDecision } from "./journal.ts";

/** What was put up for approval and what became of it. `over`: its run ended without a decision. */
export interface ShownApproval extends ApprovalCard {
  readonly state: "open" | "approved" | "denied" | "expired" | "over";
  readonly decidedBy: string | undefined;
  readonly decidedAt: number | undefined;
}

/** The same with the run that asks. */
export interface ApprovalView extends ShownApproval {
  readonly conversationId: ConversationId;
  readonly runId: RunId;
}

/** An approval as it stands now. Pure. */
export function showApproval(
  card: ApprovalCard,
  decision: ApprovalDecision | undefined,
  { isGoing, now }: { readonly isGoing: boolean; readonly now: number },
): ShownApproval {
  if (decision !== undefined) return { ...card, state: decision.state, decidedBy: decision.by, decidedAt: decision.at };
  const state = card.expiresAt <= now ? "expired" : isGoing ? "open" : "over";
  return { ...card, state, decidedBy: undefined, decidedAt: undefined };
}

/** What became of an approval, in a few words: "approved by ada". */
export function describeState({ state, decidedBy }: Pick<ShownApproval, "state" | "decidedBy">): string {
  switch (state) {
    case "approved":
    case "denied":
      return decidedBy === undefined ? state : `${state} by ${decidedBy}`;
    case "expired":
      return "expired: nobody decided in time";
    case "over":
      return "no longer needed: its run is over";
    case "open":
      return "open";
  }
}
