import type { ConversationId } from "../../kernel/ids.ts";
import type { Clock } from "../../kernel/ports.ts";
import { approvalKey } from "../../store/keys.ts";
import type { Lanes } from "../../store/lanes.ts";
import { chatLane } from "../lanes-of.ts";
import { readConversation } from "../views.ts";
import { approvalsOf, type ApprovalDecision } from "./journal.ts";
import { parseMatter, type ApprovalMatter } from "./matter.ts";
import type { DecideOutcome, DecideRequest } from "./deciding.ts";
import { showApproval, type ApprovalView } from "./view.ts";
import { recordDecision } from "./wait.ts";

export interface ApprovalParts {
  readonly lanes: Lanes;
  readonly clock: Clock;
}

/** The approval with this id, as long as it is known: two days beyond its time. */
export async function findApproval(id: string, parts: ApprovalParts): Promise<ApprovalView | undefined> {
  const record = await parts.lanes.findRecord(approvalKey(id));
  const matter = record === undefined ? undefined : parseMatter(record);
  if (matter === undefined) return undefined;
  const { about, decision } = matter;
  const state = await parts.lanes.look(chatLane(about.conversationId));
  const isGoing = "runId" in state && state.runId === about.runId;
  return viewOf(about, decision, { isGoing, now: parts.clock.now() });
}

/** The approvals a conversation waits for, in the order in which they were asked. */
export async function openApprovals(conversation: ConversationId, parts: ApprovalParts): Promise<ApprovalView[]> {
  const { runs, state } = await readConversation(conversation, parts);
  const run = "runId" in state ? runs.findLast((each) => each.runId === state.runId) : undefined;
  if (run === undefined || run.ended !== undefined) return [];
  const about = { conversationId: conversation, runId: run.runId };
  return [...approvalsOf(run).values()]
    .map(({ card, decision }) => viewOf({ ...about, card }, decision, { isGoing: true, now: parts.clock.now() }))
    .filter((view) => view.state === "open");
}

/** Decides about an approval; the first decision counts. */
export async function decideApproval(request: DecideRequest, parts: ApprovalParts): Promise<DecideOutcome> {
  const { id, verdict, by, operation } = request;
  const before = await findApproval(id, parts);
  if (before === undefined) return { outcome: "unknown" };
  if (!by.admin && by.name !== before.askedOf) return { outcome: "forbidden", approval: before };
  // Redis' clock has the last word; what is shown as expired is not approved all the same.
  if (before.state === "expired") return { outcome: "decided", approval: before };
  const { conversationId, runId } = before;
  const state = verdict === "approve" ? "approved" : "denied";
  const decision = { state, by: by.name, at: parts.clock.now(), nonce: operation } as const;
  const { outcome, record } = await recordDecision(
    { id, conversation: conversationId, runId, decision, by: "person" },
    parts,
  );
  const matter = parseMatter(record);
  if (matter === undefined) return { outcome: "unknown" };
  const { about, decision: counts } = matter;
  const approval = viewOf(about, counts, { isGoing: false, now: outcome === "late" ? Infinity : decision.at });
  const isMine = counts?.nonce === operation && counts.by === by.name && counts.state === state;
  return { outcome: isMine ? "recorded" : "decided", approval };
}

function viewOf(
  { conversationId, runId, card }: ApprovalMatter,
  decision: ApprovalDecision | undefined,
  when: Parameters<typeof showApproval>[2],
): ApprovalView {
  return { ...showApproval(card, decision, when), conversationId, runId };
}
