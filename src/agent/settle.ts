import { z } from "zod";
import { deliveryId, laneId, type ConversationId, type LaneId, type MessageId, type RunId } from "../kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../kernel/live.ts";
import type { FileRef, OutboundMessage } from "../kernel/messages.ts";
import { parseSlotMessage, SCHEDULE_LANE, type SlotOutcome } from "../kernel/schedules.ts";
import type { Effects } from "../store/effects.ts";
import { recordKey } from "../store/keys.ts";
import { toMail } from "../store/mail.ts";
import { outboxLane } from "./lanes-of.ts";

/** What is noted of a message when its run ends; kept at least a day and read by `GET /v1/messages/:id`. */
export const fateSchema = z.object({
  run: z.string(),
  end: z.enum(["done", "failed", "stopped", "silent"]),
  steps: z.number(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type Fate = z.infer<typeof fateSchema>;

/** The key under which the lane of a run is found, without the partition's tag. */
export const runPointerKey = (run: RunId): string => `t:${run}`;

/** Puts one message in a conversation's outbox. */
export function say(message: OutboundMessage): Effects {
  return {
    put: [
      {
        lane: outboxLane(message.conversationId),
        // Outbox entries are found by the delivery's id; the lane keeps their order.
        mail: toMail(message),
      },
    ],
  };
}

/** The last thing a run says. */
export interface Saying {
  readonly step: string;
  readonly kind: OutboundMessage["kind"];
  readonly text: string;
  /** Buttons under a question. */
  readonly choices?: readonly string[];
}

/** What ends a run: what is said, what is noted of every message it answers, and what watchers are told. */
export interface Settlement {
  readonly conversation: ConversationId;
  readonly lane: LaneId;
  readonly runId: RunId;
  readonly messageIds: readonly MessageId[];
  readonly fate: Omit<Fate, "run">;
  /** Absent only for a run that chose silence or was answered by another delivery. */
  readonly saying?: Saying;
  /** Files that go out with what is said. */
  readonly files?: readonly FileRef[];
  readonly at: number;
  readonly keepMs: number;
}

/** The effects that must happen in the same step as the end of a run, so that no run ends in silence. */
export function settle(settlement: Settlement): Effects {
  const { conversation, lane, runId, messageIds, saying, files = [], keepMs, at } = settlement;
  const fate: Fate = { run: runId, ...settlement.fate };
  const records = messageIds.map((id) => ({ key: recordKey(lane, id), value: JSON.stringify(fate), ttlMs: keepMs }));
  const ended: LiveEvent = { type: "run.ended", run_id: runId, end: fate.end };
  const said =
    saying === undefined
      ? undefined
      : say({
          id: deliveryId(runId, saying.step),
          conversationId: conversation,
          kind: saying.kind,
          text: saying.text,
          ...(files.length === 0 ? {} : { files: [...files] }),
          ...(saying.choices === undefined ? {} : { choices: [...saying.choices] }),
          answers: [...messageIds],
          at,
        });
  const put = [...(said?.put ?? []), ...messageIds.flatMap((id) => outcomeOf(id, conversation, fate, at))];
  return {
    ...(put.length === 0 ? {} : { put }),
    records: [...records, { key: runPointerKey(runId), value: lane, ttlMs: keepMs }],
    announce: [{ channel: liveChannel(conversation), payload: JSON.stringify(ended) }],
  };
}

/** Tells the schedule whose slot this message was how its run ended; nothing for all other messages. */
function outcomeOf(id: MessageId, conversation: ConversationId, fate: Fate, at: number): NonNullable<Effects["put"]> {
  const slot = parseSlotMessage(id);
  if (slot === undefined) return [];
  const outcome: SlotOutcome = {
    schedule: slot.id,
    slot: slot.slot,
    attempt: slot.attempt,
    run: fate.run,
    end: fate.end,
    steps: fate.steps,
    at,
    ...(fate.error === undefined ? {} : { error: fate.error.message }),
  };
  const lane = laneId(SCHEDULE_LANE, conversation);
  return [{ lane, mail: { id: `end:${id}` as MessageId, mode: "alone", body: JSON.stringify(outcome) } }];
}
