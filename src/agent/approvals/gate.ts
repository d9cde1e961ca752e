import { InvalidInput } from "../../kernel/errors.ts";
import type { ConversationId, WorkspaceId } from "../../kernel/ids.ts";
import type { ToolCall } from "../../models/contract.ts";
import type { Tool } from "../../tools/contract.ts";
import { parseToolArgs, renderToolFailure } from "../../tools/result.ts";
import type { Toolbox } from "../../tools/toolbox.ts";
import type { RunRecord } from "../runs.ts";
import type { StoredResult } from "../steps.ts";
import { callHash } from "./card.ts";
import { approvalsOf, type Approval, type ApprovalDecision } from "./journal.ts";
import { ruleOn, type ApprovalPolicy, type Ruling } from "./policy.ts";

/** Whether a call may be made now. `refuse` holds what the model reads instead of a result. */
export type Passage =
  | { readonly kind: "go" }
  | { readonly kind: "refuse"; readonly result: StoredResult }
  | { readonly kind: "wait"; readonly waiting: WaitingCall };

/** A call that waits for an approval. */
export interface WaitingCall {
  readonly step: string;
  readonly tool: string;
  readonly args: unknown;
  readonly hash: string;
  readonly reason: string;
  /** Undefined when nobody has been asked yet. */
  readonly asked: Approval | undefined;
}

/** What the gate knows of the run. */
export interface GateFacts {
  readonly run: RunRecord;
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
  /** Where text from outside came from that the model had read when it made the call. */
  readonly outside: readonly string[];
  readonly toolbox: Toolbox;
  readonly policy: ApprovalPolicy;
}

/**
 * Decides about one call. Pure. A call that is recorded or begun passes: it went through here before. What was asked stays
 * asked, whatever the policy says by now; a policy that says no counts at once.
 */
export function judgeCall(step: string, call: ToolCall, facts: GateFacts): Passage {
  const isBegun = facts.run.entries.some(
    (entry) => (entry.kind === "step" || entry.kind === "intent") && entry.step === step,
  );
  return isBegun ? GO : judge(step, call, approvalsOf(facts.run).get(step), facts);
}

const GO: Passage = { kind: "go" };

function judge(step: string, call: ToolCall, asked: Approval | undefined, facts: GateFacts): Passage {
  const { toolbox, policy, outside, workspaceId: user, conversationId: conversation } = facts;
  const tool = toolbox.find(call.name);
  const parsed = tool === undefined ? undefined : readArgs(tool, call.args);
  // A call that cannot be made is not worth a question: it fails by itself, before the tool is reached.
  if (tool === undefined || parsed === undefined) return GO;
  const ruling = ruleOn({ tool, args: parsed.args, user, conversation, outside }, policy);
  if (ruling.decision === "deny") return refuse("not_allowed", "A rule of this installation does not allow this call.");
  const hash = callHash(tool.name, call.args);
  if (asked?.decision !== undefined) return passDecided(asked, asked.decision, hash);
  if (asked === undefined && ruling.decision === "allow") return GO;
  const waiting = { step, tool: tool.name, args: parsed.args, hash, reason: reasonOf(asked, ruling), asked };
  return { kind: "wait", waiting };
}

function reasonOf(asked: Approval | undefined, ruling: Ruling): string {
  return asked?.card.reason ?? (ruling.decision === "ask" ? ruling.reason : "");
}

function passDecided(asked: Approval, { state, by = "nobody" }: ApprovalDecision, hash: string): Passage {
  switch (state) {
    case "approved":
      // Nothing else may pass in the name of what was shown.
      return asked.hash === hash ? GO : refuse("not_allowed", "What was approved is not what this call is now.");
    case "denied":
      return refuse("denied", `Denied by ${by}: this call was not made.`);
    case "expired":
      return refuse("approval_expired", "Nobody approved this call in time: it was not made.");
  }
}

function refuse(code: string, message: string): Passage {
  const content = renderToolFailure(
    new InvalidInput(`${message} Do not try it again unless the person asks for it.`, { code }),
  );
  return { kind: "refuse", result: { content, ok: false, refused: true } };
}

function readArgs(tool: Tool, text: string): { readonly args: unknown } | undefined {
  try {
    return { args: parseToolArgs(tool.name, text) };
  } catch {
    return undefined;
  }
}
