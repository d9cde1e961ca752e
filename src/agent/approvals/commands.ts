import type { WorkspaceId } from "../../kernel/ids.ts";
import type { InboundMessage } from "../../kernel/messages.ts";
import type { Run } from "../../engine/run.ts";
import { decideApproval, openApprovals, type ApprovalParts } from "./decide.ts";
import type { Decider } from "./deciding.ts";
import { describeState, type ApprovalView } from "./view.ts";
import { describeDeciders } from "./card.ts";

export interface ApprovalCommandParts extends ApprovalParts {
  /** The people who may decide about everybody's approvals. */
  readonly admins: () => readonly string[];
}

/** A person as one who decides. */
export function asDecider(person: WorkspaceId, admins: readonly string[]): Decider {
  return { name: person, admin: admins.includes(person) };
}

/** What `/approve` and `/deny` do; the answer in words. May be repeated after an interruption and says the same again. */
export async function decideByCommand(
  verdict: "approve" | "deny",
  { message, rest, run }: { readonly message: InboundMessage; readonly rest: string; readonly run: Run },
  parts: ApprovalCommandParts,
): Promise<string> {
  // Recorded before anything is decided: afterwards it would not be among the open ones any more.
  const found = await run.step("approval", async () => chooseApproval(verdict, message, rest, parts));
  if ("sentence" in found) return found.sentence;
  const by = asDecider(message.workspaceId, parts.admins());
  const decided = await decideApproval({ id: found.id, verdict, by, operation: message.id }, parts);
  switch (decided.outcome) {
    case "unknown":
      return `There is no approval ${found.id.slice(0, 40)}.`;
    case "forbidden":
      return `Only ${describeDeciders(decided.approval.askedOf)} may decide this. Nothing was changed.`;
    case "decided":
      return `Too late: ${decided.approval.tool} is ${describeState(decided.approval)}. Nothing was changed.`;
    case "recorded":
      return `${verdict === "approve" ? "Approved" : "Denied"}: ${decided.approval.tool}.`;
  }
}

async function chooseApproval(
  verdict: string,
  message: InboundMessage,
  rest: string,
  parts: ApprovalParts,
): Promise<{ readonly id: string } | { readonly sentence: string }> {
  const [named] = rest.split(/\s/, 1);
  if (named !== undefined && named !== "") return { id: named };
  const open = await openApprovals(message.conversationId, parts);
  const [first, second] = open;
  if (first === undefined) return { sentence: "Nothing waits for an approval here." };
  if (second === undefined) return { id: first.id };
  return {
    sentence: [
      "Several calls wait for an approval; name one:",
      ...open.map((approval) => `- /${verdict} ${approval.id}: ${lineOf(approval)}`),
    ].join("\n"),
  };
}

function lineOf({ tool, arguments: args }: ApprovalView): string {
  const short = args.replaceAll(/\s+/g, " ");
  return `${tool} ${short.length <= 80 ? short : `${short.slice(0, 79)}…`}`;
}
