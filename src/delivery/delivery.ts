import { describeError } from "../kernel/errors.ts";
import { laneId, type LaneId } from "../kernel/ids.ts";
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
      if (message === undefined) return unreadable(run, parts);
      const platform = platformOf(message.conversationId);
      const adapter = parts.adapters.find((each) => each.name === platform);
      if (adapter === undefined) return dead(run, message, `${platform} is not set up here`, parts);
      try {
        return delivered(message, await post(run, message, adapter), parts);
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error;
        return dead(run, message, `${error.code}: ${error.message}`, parts);
      }
    },
    giveUp(run, reason) {
      const message = readMessage(run, parts);
      return message === undefined ? unreadable(run, parts) : dead(run, message, reason, parts);
    },
  };
}

/** Where nothing leaves the process there is no outcome to lose, so no step of its own is needed. */
async function post(run: Run, message: OutboundMessage, adapter: PlatformAdapter): Promise<Posted> {
  if (adapter.sendSafety === "by-record") return adapter.send(message, { repeat: false, signal: run.signal });
  // A mark from before this attempt: an earlier one, whatever ended it, may have sent without being able to say so.
  const repeat = run.entries.some((entry) => entry.kind === "step" && entry.step === SENDING);
  await run.step(SENDING, () => Promise.resolve(true));
  return run.step("send", ({ signal }) => adapter.send(message, { repeat, signal }));
}

const SENDING = "sending";

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

/** The platform will not take it: noted beside the messages it answers and in the dead letter list; the lane goes on. */
function dead(run: Run, message: OutboundMessage, reason: string, parts: DeliveryParts): Ending {
  parts.log.error({ run: run.id, delivery: message.id, reason }, "a delivery was given up");
  parts.onDelivered?.(message, "dead");
  const { records = [] } = noteBeside(message, { deliveryId: message.id, undelivered: reason }, parts);
  return drop({ records: [...records, deadLetter({ message, reason }, parts)] });
}

function unreadable(run: Run, parts: DeliveryParts): Ending {
  return drop({ records: [deadLetter({ message: run.messages()[0] ?? run.entries, reason: "unreadable" }, parts)] });
}

const DEAD_LETTER_MS = 30 * 86_400_000;

function deadLetter(letter: { readonly message: unknown; readonly reason: string }, { clock }: DeliveryParts) {
  return { key: "dead", value: JSON.stringify({ ...letter, at: clock.now() }), ttlMs: DEAD_LETTER_MS, append: true };
}

function note(message: OutboundMessage, postedId: string, parts: DeliveryParts): Effects {
  const { id: deliveryId, text, files, conversationId } = message;
  return {
    ...noteBeside(message, { deliveryId, text, files, postedId, deliveredAt: parts.clock.now() }, parts),
    announce: [{ channel: liveChannel(conversationId), payload: JSON.stringify(liveDelivery(message)) }],
  };
}

/** The readers of these notes are in `agent/answers.ts`. */
function noteBeside(message: OutboundMessage, value: object, { keepMs }: DeliveryParts): Effects {
  const lane: LaneId = laneId("chat", message.conversationId);
  const text = JSON.stringify(value);
  return {
    records: message.answers.map((id) => ({ key: answersKey(lane, id), value: text, ttlMs: keepMs, append: true })),
  };
}

function liveDelivery(message: OutboundMessage): LiveEvent {
  const { id, kind, text, choices, files, approval, answers, at } = message;
  return { type: "delivery", delivery: { id, kind, text, choices, files, approval, answers, at } };
}

/** The lane keeps nothing of a delivery that is over. */
function drop(effects: Effects): Ending {
  return { kind: "finish", end: "done", journal: "drop", effects };
}
