import { asDecider } from "../agent/approvals/commands.ts";
import { describeDeciders } from "../agent/approvals/card.ts";
import { describeState } from "../agent/approvals/view.ts";
import { isControl } from "../agent/command-text.ts";
import { chatLane } from "../agent/lanes-of.ts";
import type { Door } from "../agent/door-contract.ts";
import { parseMessageId, type WorkspaceId } from "../kernel/ids.ts";
import { runOfDelivery, type PressPayload } from "../kernel/presses.ts";
import type { Press, Pressed } from "../platforms/listening.ts";
import type { Lanes } from "../store/lanes.ts";

export interface PressParts {
  readonly door: Pick<Door, "admit" | "messageStatus" | "decideApproval">;
  readonly lanes: Pick<Lanes, "look">;
  readonly admins: () => readonly string[];
}

type Choice = Extract<PressPayload, { kind: "choice" }>;
type Decision = Extract<PressPayload, { kind: "approval" }>;

/** What a pressed button does. `person` is the workspace the presser's account stands for. */
export function press(
  payload: PressPayload,
  { by, at, id, direct }: Press,
  person: WorkspaceId,
  parts: PressParts,
): Promise<Pressed> {
  return payload.kind === "choice"
    ? choose(payload, { by, at, direct }, parts)
    : decide(payload, { name: by.name, person, operation: id }, parts);
}

/** One answer per question: the first press is a message of the person who pressed, like one they typed. */
async function choose(
  { conversationId, delivery, text }: Choice,
  { by, at, direct }: Pick<Press, "by" | "at" | "direct">,
  { door, lanes }: PressParts,
): Promise<Pressed> {
  const id = parseMessageId(`press:${delivery}`);
  const answered: Pressed = { notice: "This question has its answer.", outcome: "Answered." };
  if ((await door.messageStatus(conversationId, id)) !== undefined) return answered;
  // A command's choices are commands themselves: nothing waits for them.
  if (!isControl(text)) {
    const state = await lanes.look(chatLane(conversationId));
    const isOpen = state.kind === "parked" && state.mail && state.runId === runOfDelivery(delivery);
    if (!isOpen) return { notice: "This question is no longer open.", outcome: "No longer open." };
  }
  const author = direct ? {} : { authorName: by.name };
  const { status } = await door.admit({ id, conversationId, workspaceId: by.id, text, at, ...author });
  return status === "duplicate" ? answered : { notice: `You chose: ${text}`, outcome: `${by.name} chose: ${text}` };
}

async function decide(
  { approval: id, verdict }: Decision,
  { name, person, operation }: { readonly name: string; readonly person: WorkspaceId; readonly operation: string },
  { door, admins }: PressParts,
): Promise<Pressed> {
  const decided = await door.decideApproval({ id, verdict, by: asDecider(person, admins()), operation });
  switch (decided.outcome) {
    case "unknown":
      return { notice: "This is no longer known: it is too old.", outcome: "No longer open." };
    case "forbidden":
      return { notice: `Only ${describeDeciders(decided.approval.askedOf)} may decide this. Nothing was changed.` };
    case "decided":
      return {
        notice: `Too late: this is ${describeState(decided.approval)}.`,
        outcome: describeState(decided.approval),
      };
    case "recorded":
      return {
        notice: verdict === "approve" ? "Approved." : "Denied.",
        outcome: `${verdict === "approve" ? "Approved" : "Denied"} by ${name}: ${decided.approval.tool}`,
      };
  }
}
