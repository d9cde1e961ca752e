import { describeError } from "../kernel/errors.ts";
import { laneId, laneParts, type ConversationId, type LaneId } from "../kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../kernel/live.ts";
import { outboundMessageSchema, platformOf, type OutboundMessage } from "../kernel/messages.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import { StepFailed } from "../engine/errors.ts";
import type { Handler } from "../engine/execute.ts";
import type { Ending, Run } from "../engine/run.ts";
import type { PlatformAdapter, Posted } from "../platforms/contract.ts";
import type { Effects } from "../store/effects.ts";
import { answersKey } from "../store/keys.ts";

export interface DeliveryParts {
  readonly adapters: readonly PlatformAdapter[];
  readonly clock: Clock;
  readonly log: Log;
  /** How long the note of a delivery is kept, milliseconds. */
  readonly keepMs: number;
  readonly onDelivered?: (message: OutboundMessage, result: "delivered" | "dead") => void;
}

/**
 * Takes a conversation's outgoing messages to its platform, one after the other: the lane's order is the order people
 * see. A delivery is noted beside every message it answers in the same step in which the outbox lets go of it.
 */
export function createDeliveryHandler(parts: DeliveryParts): Handler {
  return {
    async handle(run) {
      const message = readMessage(run, parts);
      if (message === undefined) return drop({});
      const adapter = parts.adapters.find((each) => each.name === platformOf(message.conversationId));
      if (adapter === undefined) return dead(run, message, "no-adapter", parts);
      try {
        return delivered(message, await post(run, message, adapter), parts);
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error;
        return dead(run, message, `${error.code}: ${error.message}`, parts);
      }
    },
    giveUp(run, reason) {
      const message = readMessage(run, parts);
      return message === undefined ? drop({}) : dead(run, message, reason, parts);
    },
  };
}

/** Where nothing leaves the process there is no outcome to lose, so no step of its own is needed. */
async function post(run: Run, message: OutboundMessage, adapter: PlatformAdapter): Promise<Posted> {
  if (adapter.sendSafety === "by-record") return adapter.send(message, { repeat: false, signal: run.signal });
  return run.step("send", ({ attempt, signal }) =>
    adapter.send(message, { repeat: attempt > 1 || run.attempt > 1, signal }),
  );
}

function readMessage(run: Run, { log }: DeliveryParts): OutboundMessage | undefined {
  const parsed = outboundMessageSchema.safeParse(run.messages()[0]);
  if (parsed.success) return parsed.data;
  log.error({ run: run.id, lane: run.lane, error: describeError(parsed.error) }, "an outbox entry could not be read");
  return undefined;
}

function delivered(message: OutboundMessage, posted: Posted, parts: DeliveryParts): Ending {
  parts.onDelivered?.(message, "delivered");
  return drop(note(message, posted.postedId, parts));
}

/** The platform will not take it: noted beside the message and in the dead letter list, and the lane goes on. */
function dead(run: Run, message: OutboundMessage, reason: string, parts: DeliveryParts): Ending {
  parts.log.error({ run: run.id, delivery: message.id, reason }, "a delivery was given up");
  parts.onDelivered?.(message, "dead");
  const letter = JSON.stringify({ message, reason, at: parts.clock.now() });
  return drop({ records: [{ key: "dead", value: letter, ttlMs: DEAD_LETTER_MS, append: true }] });
}

const DEAD_LETTER_MS = 30 * 86_400_000;

function note(message: OutboundMessage, postedId: string, { clock, keepMs }: DeliveryParts): Effects {
  const conversation = message.conversationId;
  const lane: LaneId = laneId("chat", conversation);
  const value = JSON.stringify({ deliveryId: message.id, text: message.text, postedId, deliveredAt: clock.now() });
  return {
    records: message.answers.map((id) => ({ key: answersKey(lane, id), value, ttlMs: keepMs, append: true })),
    announce: [{ channel: liveChannel(conversation), payload: JSON.stringify(liveDelivery(message)) }],
  };
}

function liveDelivery(message: OutboundMessage): LiveEvent {
  const { id, kind, text, choices, answers, at } = message;
  return { type: "delivery", delivery: { id, kind, text, choices, answers, at } };
}

/** The lane keeps nothing of a delivery that is over. */
function drop(effects: Effects): Ending {
  return { kind: "finish", end: "done", journal: "drop", effects };
}
