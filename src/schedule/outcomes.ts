import { deliveryId, laneId, laneParts, type ConversationId, type WorkspaceId } from "../kernel/ids.ts";
import type { OutboundMessage } from "../kernel/messages.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import { slotOutcomeSchema, type ScheduleId, type SlotOutcome } from "../kernel/schedules.ts";
import type { Handler } from "../engine/execute.ts";
import type { Ending, Run } from "../engine/run.ts";
import type { Effects } from "../store/effects.ts";
import { toMail } from "../store/mail.ts";
import type { ScheduleStore } from "../store/schedules.ts";
import { unpackDefinition } from "./definition.ts";
import { outcomeLine } from "./ledger.ts";

/** The person is told when this many slots in a row have failed. */
const ALERT_AT = 2;
/** A schedule is disabled when this many slots in a row have failed. */
const DISABLE_AT = 10;
/** How long a failed slot waits before each further try, milliseconds. */
const RETRY_WAITS_MS = [30_000, 300_000];

/**
 * Works up how the runs of slots ended: the ledger, another try, the alert, the end of a schedule that only fails. What
 * is said goes out in the same step that ends this run.
 */
export function createOutcomeHandler(parts: {
  readonly store: ScheduleStore;
  /** Keeps the conversation in the lists of conversations. */
  readonly touch: (conversation: ConversationId, owner: WorkspaceId, at: number) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}): Handler {
  const { store, clock, log, touch } = parts;
  return {
    async handle(run) {
      const parsed = slotOutcomeSchema.safeParse(run.messages()[0]);
      if (!parsed.success) {
        log.error({ run: run.id, lane: run.lane }, "the end of a scheduled run cannot be read");
        return over();
      }
      const outcome = parsed.data;
      const conversation = laneParts(run.lane).name as ConversationId;
      const text = await run.step("note", () => note(run, conversation, outcome));
      return over(text === "" ? {} : speak(run, conversation, text, clock.now()));
    },
    giveUp(run, reason) {
      log.error({ run: run.id, lane: run.lane, reason }, "the end of a scheduled run could not be noted");
      return over();
    },
  };

  async function note(run: Run, conversation: ConversationId, outcome: SlotOutcome): Promise<string> {
    const stored = await store.find(outcome.schedule);
    const definition = stored === undefined ? undefined : unpackDefinition(stored.definition);
    // Deleted meanwhile, or a message that somebody gave the id of another conversation's schedule.
    if (definition === undefined || definition.conversationId !== conversation) return "";
    await touch(conversation, definition.owner, outcome.at);
    const { slot, attempt, end, at } = outcome;
    const wait = RETRY_WAITS_MS[attempt - 1];
    // A run that did more than ask the model may have changed something: it is not repeated.
    const retries = end === "failed" && outcome.steps <= 1 && wait !== undefined;
    const { reply, failures } = await store.outcome({
      id: outcome.schedule as ScheduleId,
      slot,
      attempt,
      ok: end !== "failed",
      line: outcomeLine(slot, at, end, outcome.run, attempt),
      disableAt: DISABLE_AT,
      retryAt: retries ? at + wait : undefined,
    });
    log.debug({ run: run.id, schedule: outcome.schedule, slot, end, reply }, "a scheduled run ended");
    return describeFailures(reply, failures, outcome, definition.description);
  }
}

/** What the person is told after a failure; "" for nothing. Pure. */
export function describeFailures(
  reply: "fine" | "again" | "failed" | "disabled" | "gone",
  failures: number,
  { schedule, error }: Pick<SlotOutcome, "schedule" | "error">,
  description: string,
): string {
  const name = `"${description.length > 80 ? `${description.slice(0, 79)}…` : description}" (${schedule})`;
  const last = error === undefined ? "" : ` The last error: ${error}`;
  if (reply === "disabled")
    return `I disabled the schedule ${name}: it failed ${failures} times in a row. /schedule resume ${schedule} starts it again.${last}`;
  if (reply !== "failed" || failures !== ALERT_AT) return "";
  return `The schedule ${name} failed ${failures} times in a row. I go on trying; /schedule pause ${schedule} stops it.${last}`;
}

function over(effects: Effects = {}): Ending {
  return { kind: "finish", end: "done", journal: "drop", effects };
}

function speak(run: Run, conversation: ConversationId, text: string, at: number): Effects {
  const message: OutboundMessage = {
    id: deliveryId(run.id, "alert"),
    conversationId: conversation,
    kind: "notice",
    text,
    answers: [],
    at,
  };
  return { put: [{ lane: laneId("out", conversation), mail: toMail(message) }] };
}
