import { z } from "zod";
import { approvalCardSchema, type ApprovalCard } from "../../kernel/messages.ts";
import { wokenLine, type JournalEntry } from "../../engine/journal.ts";
import type { RunRecord } from "../runs.ts";

/** How an approval was decided. `expired` is nobody's decision and counts as a no. */
export const decisionSchema = z.object({
  state: z.enum(["approved", "denied", "expired"]),
  /** Who decided, for people. */
  by: z.string().optional(),
  at: z.number(),
  /** Tells decisions apart that are otherwise equal. */
  nonce: z.string(),
});
export type ApprovalDecision = z.infer<typeof decisionSchema>;

/** A call of a run that was put up for approval. */
export interface Approval {
  readonly card: ApprovalCard;
  readonly step: string;
  /** See `callHash`. */
  readonly hash: string;
  readonly decision: ApprovalDecision | undefined;
  /** The entry that notes that it was asked for. */
  readonly note: JournalEntry;
}

const noteSchema = z.object({ approval: z.object({ card: approvalCardSchema, step: z.string(), hash: z.string() }) });

/** The note that an approval was asked for. */
export function approvalNote(card: ApprovalCard, step: string, hash: string): z.input<typeof noteSchema> {
  return { approval: { card, step, hash } };
}

/** The line by which a run learns of a decision. */
export function decisionLine(id: string, decision: ApprovalDecision): string {
  return wokenLine(id, decision, decision.at);
}

/** The approvals a run has asked for, by their steps. The first decision counts. */
export function approvalsOf(run: Pick<RunRecord, "entries">): Map<string, Approval> {
  const approvals = new Map<string, Approval>();
  for (const entry of run.entries) {
    if (entry.kind === "note" && isApprovalNote(entry.note)) {
      const note = noteSchema.safeParse(entry.note).data?.approval;
      if (note !== undefined && !approvals.has(note.step))
        approvals.set(note.step, { ...note, decision: undefined, note: entry });
    } else if (entry.kind === "woken") {
      const approval = [...approvals.values()].find(({ card }) => card.id === entry.key);
      const decision = approval === undefined ? undefined : decisionSchema.safeParse(entry.value).data;
      if (approval !== undefined && decision !== undefined && approval.decision === undefined)
        approvals.set(approval.step, { ...approval, decision });
    }
  }
  return approvals;
}

// Most notes are something else; a failed parse of each would cost more than all the rest.
function isApprovalNote(note: unknown): boolean {
  return typeof note === "object" && note !== null && "approval" in note;
}
