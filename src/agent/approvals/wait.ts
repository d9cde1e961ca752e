import { deliveryId, type ConversationId, type RunId, type WorkspaceId } from "../../kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../../kernel/live.ts";
import type { ApprovalCard } from "../../kernel/messages.ts";
import type { Clock } from "../../kernel/ports.ts";
import { noteLine } from "../../engine/journal.ts";
import type { Ending, Run } from "../../engine/run.ts";
import type { Effects } from "../../store/effects.ts";
import { approvalKey } from "../../store/keys.ts";
import type { Decided } from "../../store/lane-contract.ts";
import type { Lanes } from "../../store/lanes.ts";
import { chatLane, conversationOf } from "../lanes-of.ts";
import { say } from "../settle.ts";
import { cardText, makeCard } from "./card.ts";
import type { WaitingCall } from "./gate.ts";
import { approvalNote, decisionLine, type ApprovalDecision } from "./journal.ts";
import { writeMatter } from "./matter.ts";
import type { ApprovalPolicy } from "./policy.ts";

/** What a run that waits for approvals is woken by. */
export const APPROVAL_WAKE = "approval";

export interface WaitParts {
  readonly clock: Clock;
  readonly lanes: Pick<Lanes, "decide" | "matterRecord">;
  readonly approvals: () => ApprovalPolicy;
}

/**
 * Parks the run until somebody decides; nothing is held meanwhile. Each card goes out in the same step as the note that
 * it was asked for, so it is asked once. Cards whose time is over are declared expired, unless somebody was faster.
 */
export async function waitForApprovals(
  run: Run,
  calls: readonly WaitingCall[],
  askedOf: WorkspaceId,
  parts: WaitParts,
): Promise<Ending> {
  const now = parts.clock.now();
  const late = calls.flatMap(({ asked }) => (asked !== undefined && asked.card.expiresAt <= now ? [asked.card] : []));
  for (const { id } of late) {
    const decision = { state: "expired", at: now, nonce: run.id } as const;
    await recordDecision({ id, conversation: conversationOf(run.lane), runId: run.id, decision, by: "run" }, parts);
  }
  // What was decided stands in the journal and not in this attempt's memory: the next attempt reads it.
  if (late.length > 0) return { kind: "park", waitMs: 0 };
  const { expireMs } = parts.approvals();
  const fresh = calls
    .filter(({ asked }) => asked === undefined)
    .map((call) => ({ call, card: makeCard({ ...call, runId: run.id, askedOf, askedAt: now, expireMs }) }));
  const ends = [
    ...calls.flatMap(({ asked }) => asked?.card.expiresAt ?? []),
    ...fresh.map(({ card }) => card.expiresAt),
  ];
  return {
    kind: "park",
    key: APPROVAL_WAKE,
    waitMs: Math.max(1, Math.min(...ends) - now),
    lines: fresh.map(({ call, card }) => noteLine(approvalNote(card, call.step, call.hash))),
    effects: together(fresh.map(({ call, card }) => askEffects(run, call.step, card, parts))),
  };
}

function askEffects(run: Run, step: string, card: ApprovalCard, { lanes }: WaitParts): Effects {
  const conversationId = conversationOf(run.lane);
  const { id, askedAt, expiresAt } = card;
  const about = writeMatter({ conversationId, runId: run.id, card });
  return {
    ...say({
      id: deliveryId(run.id, step),
      conversationId,
      kind: "approval",
      text: cardText(card),
      approval: card,
      answers: [],
      at: askedAt,
    }),
    records: [lanes.matterRecord(approvalKey(id), about, expiresAt - askedAt)],
  };
}

function together(effects: readonly Effects[]): Effects {
  return { put: effects.flatMap(({ put = [] }) => put), records: effects.flatMap(({ records = [] }) => records) };
}

/** Records a decision once, hands it to its run and tells whoever watches. The first decision counts. */
export function recordDecision(
  given: {
    readonly id: string;
    readonly conversation: ConversationId;
    readonly runId: RunId;
    readonly decision: ApprovalDecision;
    readonly by: "person" | "run";
  },
  { lanes }: { readonly lanes: Pick<Lanes, "decide"> },
): Promise<Decided> {
  const { id, conversation, runId, decision, by } = given;
  const told: LiveEvent = {
    type: "approval.decided",
    approval_id: id,
    state: decision.state,
    by: decision.by,
    at: decision.at,
  };
  return lanes.decide({
    lane: chatLane(conversation),
    runId,
    matter: approvalKey(id),
    key: APPROVAL_WAKE,
    decision: JSON.stringify(decision),
    line: decisionLine(id, decision),
    by,
    announce: { channel: liveChannel(conversation), payload: JSON.stringify(told) },
  });
}
