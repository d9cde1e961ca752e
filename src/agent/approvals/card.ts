import { createHash } from "node:crypto";
import type { RunId, WorkspaceId } from "../../kernel/ids.ts";
import type { ApprovalCard } from "../../kernel/messages.ts";
import { showArguments } from "./shown-arguments.ts";

/** Who is asked where the person may not decide. No person has this name: ids hold no spaces. */
export const ADMINISTRATORS = "an administrator" as WorkspaceId;

/** Who may decide about a card, for people. */
export function describeDeciders(askedOf: WorkspaceId): string {
  return askedOf === ADMINISTRATORS ? askedOf : `${askedOf} or ${ADMINISTRATORS}`;
}

/** What binds an approval to one tool and its exact arguments, as the model wrote them. */
export function callHash(tool: string, args: string): string {
  return digest(JSON.stringify([tool, args]));
}

/** Makes the card of a call. */
export function makeCard(call: {
  readonly runId: RunId;
  readonly step: string;
  readonly tool: string;
  readonly args: unknown;
  readonly reason: string;
  readonly askedOf: WorkspaceId;
  readonly askedAt: number;
  readonly expireMs: number;
}): ApprovalCard {
  const { runId, step, tool, args, reason, askedOf, askedAt, expireMs } = call;
  return {
    id: approvalId(runId, step),
    tool,
    arguments: showArguments(args),
    reason,
    askedOf,
    askedAt,
    expiresAt: askedAt + expireMs,
  };
}

/** The card in words, for places without buttons. */
export function cardText({ id, tool, arguments: args, reason, expiresAt }: ApprovalCard): string {
  const until = new Date(expiresAt).toISOString().slice(0, 16).replace("T", " ");
  return [
    `May I call **${tool}**?`,
    `\`\`\`json\n${args}\n\`\`\``,
    `${reason} Answer with \`/approve ${id}\` or \`/deny ${id}\`. Without an answer by ${until} UTC I will not do it.`,
  ].join("\n\n");
}

// The same on every attempt of the same call.
function approvalId(runId: RunId, step: string): string {
  return `apr_${digest(`${runId}:${step}`).slice(0, 12)}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
