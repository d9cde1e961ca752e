import { laneId, type DeliveryId, type LaneId } from "../kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../kernel/live.ts";
import type { OutboundMessage } from "../kernel/messages.ts";
import type { Effects } from "../store/effects.ts";
import { answersKey } from "../store/keys.ts";

/** What is recorded of deliveries, in the same step in which the outbox lets go of them. */
export interface RecordLimits {
  /** How long the note of a delivery is kept, milliseconds. */
  readonly keepMs: number;
  readonly now: number;
}

/** A message was posted: noted beside every message it answers, and told to whoever watches. */
export function deliveredEffects(message: OutboundMessage, postedId: string, limits: RecordLimits): Effects {
  const { id: deliveryId, text, files, conversationId } = message;
  return {
    records: noteBeside(message, { deliveryId, text, files, postedId, deliveredAt: limits.now }, limits),
    announce: [{ channel: liveChannel(conversationId), payload: JSON.stringify(liveDelivery(message)) }],
  };
}

/** A message will not be posted: noted beside what it answers, and in the dead letter list. */
export function deadEffects(message: OutboundMessage, reason: string, limits: RecordLimits): Effects {
  return {
    records: [
      ...noteBeside(message, { deliveryId: message.id, undelivered: reason }, limits),
      deadLetter(message, reason, limits),
    ],
  };
}

const DEAD_LETTER_MS = 30 * 86_400_000;

/** An entry of the dead letter list. */
export function deadLetter(message: unknown, reason: string, { now }: Pick<RecordLimits, "now">) {
  return {
    key: "dead",
    value: JSON.stringify({ message, reason, at: now }),
    ttlMs: DEAD_LETTER_MS,
    append: true,
  };
}

/** Where it is recorded that a delivery went out as a part of another one. */
export function coveredKey(id: DeliveryId): string {
  return `late:${id}`;
}

/** The readers of these notes are in `agent/answers.ts`. */
function noteBeside(message: OutboundMessage, value: object, { keepMs }: RecordLimits) {
  const lane: LaneId = laneId("chat", message.conversationId);
  const text = JSON.stringify(value);
  return message.answers.map((id) => ({ key: answersKey(lane, id), value: text, ttlMs: keepMs, append: true }));
}

function liveDelivery(message: OutboundMessage): LiveEvent {
  const { id, kind, text, choices, files, approval, answers, at } = message;
  return { type: "delivery", delivery: { id, kind, text, choices, files, approval, answers, at } };
}
