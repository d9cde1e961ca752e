import type { ConversationId, WorkspaceId } from "../../kernel/ids.ts";
import type { Effect, Tool } from "../../tools/contract.ts";
import { sendsOut } from "../outside-text.ts";
import { matchesGlob } from "./glob.ts";

/** One rule of `approvals.rules`. What is absent fits everything; texts are globs. */
export interface ApprovalRule {
  readonly tool?: string;
  readonly effect?: Effect;
  /** By name: the exact number, true or false, or a glob for text. */
  readonly arguments?: Readonly<Record<string, string | number | boolean>>;
  readonly users?: readonly string[];
  readonly conversations?: readonly string[];
  readonly decision: "ask" | "allow" | "deny";
}

/** What an installation wants to be asked about. */
export interface ApprovalPolicy {
  /** The first that fits counts. */
  readonly rules: readonly ApprovalRule[];
  /** Calls that cannot be undone and carry data out, in a run that has read text from outside. */
  readonly untrustedOnce: "ask" | "allow";
  /** How long an approval waits, milliseconds; then it is a no. */
  readonly expireMs: number;
}

/** A call as the policy sees it. */
export interface CallFacts {
  readonly tool: Pick<Tool, "name" | "effect" | "approval" | "sends">;
  readonly args: unknown;
  readonly user: WorkspaceId;
  readonly conversation: ConversationId;
  /** Where text from outside came from that the model had read when it made the call. */
  readonly outside: readonly string[];
}

/** What is to happen with a call; `reason` is told to the person who is asked. */
export type Ruling =
  | { readonly decision: "allow" }
  | { readonly decision: "deny" }
  | { readonly decision: "ask"; readonly reason: string };

/** Decides about one call. Pure. A rule wins over the tool's own wish and over the label of what the model has read. */
export function ruleOn(call: CallFacts, policy: Pick<ApprovalPolicy, "rules" | "untrustedOnce">): Ruling {
  const rule = policy.rules.find((each) => fits(each, call));
  if (rule?.decision === "ask") return { decision: "ask", reason: "A rule of this installation asks for it." };
  if (rule !== undefined) return { decision: rule.decision };
  if (call.tool.approval === "ask") return { decision: "ask", reason: "This tool asks before every call." };
  if (policy.untrustedOnce === "ask" && call.outside.length > 0 && sendsOut(call.tool)) {
    const read = call.outside.join(", ");
    return { decision: "ask", reason: `I have read text from outside (${read}) that may have told me to do this.` };
  }
  return { decision: "allow" };
}

function fits(rule: ApprovalRule, { tool, args, user, conversation }: CallFacts): boolean {
  if (rule.tool !== undefined && !matchesGlob(rule.tool, tool.name)) return false;
  if (rule.effect !== undefined && rule.effect !== tool.effect) return false;
  if (rule.users !== undefined && !rule.users.some((glob) => matchesGlob(glob, user))) return false;
  if (rule.conversations !== undefined && !rule.conversations.some((glob) => matchesGlob(glob, conversation)))
    return false;
  const given: ReadonlyMap<string, unknown> = new Map(
    typeof args === "object" && args !== null ? Object.entries(args) : [],
  );
  return Object.entries(rule.arguments ?? {}).every(([name, wanted]) =>
    fitsValue(wanted, given.get(name), rule.decision),
  );
}

/** Of a list, one element that fits is enough to ask or deny; to allow, every element must. */
function fitsValue(wanted: string | number | boolean, value: unknown, decision: ApprovalRule["decision"]): boolean {
  if (Array.isArray(value)) {
    if (decision !== "allow") return value.some((each) => fitsValue(wanted, each, decision));
    return value.length > 0 && value.every((each) => fitsValue(wanted, each, decision));
  }
  if (typeof wanted !== "string") return value === wanted;
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return false;
  return matchesGlob(wanted, String(value));
}
