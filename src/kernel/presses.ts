import { createHash } from "node:crypto";
import { z } from "zod";
import type { ConversationId, DeliveryId, RunId } from "./ids.ts";
import type { OutboundMessage } from "./messages.ts";

const id = <T extends string>() => z.custom<T>((value) => typeof value === "string" && value.length > 0);

/** What a button does when it is pressed, as it is stored under its token. */
export const pressPayloadSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("choice"),
    conversationId: id<ConversationId>(),
    delivery: id<DeliveryId>(),
    text: z.string(),
  }),
  z.object({
    kind: z.literal("approval"),
    conversationId: id<ConversationId>(),
    approval: z.string(),
    verdict: z.enum(["approve", "deny"]),
  }),
]);
export type PressPayload = z.infer<typeof pressPayloadSchema>;

/** A button of a message with what it does. */
export interface PlannedButton {
  readonly label: string;
  readonly style: "plain" | "yes" | "no";
  readonly token: string;
  readonly payload: PressPayload;
}

/** Discord and Slack take labels of 80 and 75 characters. */
const LABEL_CHARS = 75;

/** The buttons of a message, in order; the same for the same message. Tokens are short enough for every platform. */
export function buttonsOf(message: OutboundMessage): readonly PlannedButton[] {
  const { conversationId, id: delivery, approval, choices = [] } = message;
  if (approval !== undefined) {
    const about = { kind: "approval", conversationId, approval: approval.id } as const;
    return [
      { label: "Approve", style: "yes", token: tokenOf(delivery, "yes"), payload: { ...about, verdict: "approve" } },
      { label: "Deny", style: "no", token: tokenOf(delivery, "no"), payload: { ...about, verdict: "deny" } },
    ];
  }
  return choices.map((text, index) => ({
    label: text.length <= LABEL_CHARS ? text : `${text.slice(0, LABEL_CHARS - 1).toWellFormed()}…`,
    style: "plain",
    token: tokenOf(delivery, String(index)),
    payload: { kind: "choice", conversationId, delivery, text },
  }));
}

/** The run that asked: the head of its delivery's id. */
export function runOfDelivery(delivery: DeliveryId): RunId {
  return delivery.slice(0, delivery.indexOf(":")) as RunId;
}

function tokenOf(delivery: DeliveryId, name: string): string {
  return createHash("sha256").update(`${delivery} ${name}`).digest("base64url").slice(0, 22);
}
