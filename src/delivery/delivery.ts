import { describeError, OutsideError } from "../kernel/errors.ts";
import type { ConversationId, RunId } from "../kernel/ids.ts";
import { outboundMessageSchema, platformOf, type OutboundMessage } from "../kernel/messages.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import { buttonsOf, runOfDelivery, type PlannedButton } from "../kernel/presses.ts";
import { StepFailed } from "../engine/errors.ts";
import type { Handler } from "../engine/execute.ts";
import type { Ending, Run } from "../engine/run.ts";
import type { PlatformAdapter, Posted } from "../platforms/contract.ts";
import type { Effects } from "../store/effects.ts";
import type { Lanes } from "../store/lanes.ts";
import { contentOf, type Mail } from "../store/mail.ts";
import { summariseLate, type LateSummary } from "./late.ts";
import { partsOf } from "./parts.ts";
import { coveredKey, deadEffects, deadLetter, deliveredEffects } from "./records.ts";
import { SEND_RETRY, sendPart } from "./send-part.ts";

export interface DeliveryParts {
  readonly adapters: readonly PlatformAdapter[];
  readonly lanes: Pick<Lanes, "waiting" | "findRecord">;
  /** Keeps what buttons do, before anybody can press them. */
  readonly presses: { keep(buttons: readonly PlannedButton[]): Promise<void> };
  /** The message in which a run's answer was shown while it was written. */
  readonly drafts: {
    find(conversation: ConversationId, run: RunId): Promise<string | undefined>;
    drop(conversation: ConversationId, draft: string): Promise<void>;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: () => {
    /** How long the note of a delivery is kept, milliseconds. */
    readonly keepMs: number;
    /** From which age on messages that wait together leave as one, milliseconds. */
    readonly lateMs: number;
    /** From which age on a message is not sent any more, milliseconds. */
    readonly expireMs: number;
  };
  readonly onDelivered?: (message: OutboundMessage, result: "delivered" | "dead") => void;
}

/**
 * Takes a conversation's outgoing messages to its platform, one after the other: the lane's order is the order people
 * see, and a wait that the platform asks for holds the whole line. A delivery is noted beside every message it answers
 * in the same step in which the outbox lets go of it.
 */
export function createDeliveryHandler(parts: DeliveryParts): Handler {
  return {
    async handle(run) {
      const message = readMessage(run, parts);
      if (message === undefined) return unreadable(run, parts);
      const platform = platformOf(message.conversationId);
      const adapter = parts.adapters.find((each) => each.name === platform);
      try {
        if (adapter === undefined) return await leaveToOthers(run, message, parts);
        // Where nothing leaves the process there is no outcome to lose, so no step of its own is needed.
        if (adapter.sendSafety === "by-record") return delivered(message, { postedId: message.id }, parts);
        return await leave(run, message, adapter, parts);
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

/** Another process may have the account that this one lacks: the message waits for it until it is too old. */
function leaveToOthers(run: Run, { conversationId, at }: OutboundMessage, { clock, limits }: DeliveryParts) {
  const message = `${platformOf(conversationId)} is not set up here`;
  const retry = clock.now() - at > limits().expireMs ? ({ kind: "never" } as const) : ({ kind: "after" } as const);
  const refuse = () => Promise.reject(new OutsideError(message, { code: "overloaded", retry }));
  return run.step<never>("adapter", refuse, { retry: SEND_RETRY });
}

async function leave(
  run: Run,
  message: OutboundMessage,
  adapter: PlatformAdapter,
  parts: DeliveryParts,
): Promise<Ending> {
  const { lateMs } = parts.limits();
  if (parts.clock.now() - message.at <= lateMs)
    return delivered(message, await post(run, message, adapter, parts), parts);
  const covered = await parts.lanes.findRecord(coveredKey(message.id));
  if (covered !== undefined) return delivered(message, { postedId: covered }, parts);
  // Recorded, so that every try says the same words for the same messages.
  const { summary } = await run.step("late", async () => ({ summary: await lateSummary(run, message, parts) }));
  if (summary === undefined) return delivered(message, await post(run, message, adapter, parts), parts);
  const posted = await post(run, { ...message, text: summary.text }, adapter, parts);
  return delivered(
    message,
    posted,
    parts,
    summary.covers.map((id) => ({ key: coveredKey(id), value: posted.postedId })),
  );
}

async function lateSummary(run: Run, first: OutboundMessage, parts: DeliveryParts): Promise<LateSummary | undefined> {
  const waiting = (await parts.lanes.waiting(run.lane)).map(parseOutbound);
  const end = waiting.indexOf(undefined);
  const readable = (end < 0 ? waiting : waiting.slice(0, end)).filter((each) => each !== undefined);
  return summariseLate(first, readable, { now: parts.clock.now(), lateMs: parts.limits().lateMs });
}

async function post(
  run: Run,
  message: OutboundMessage,
  adapter: PlatformAdapter,
  { presses, drafts, limits, clock, log }: DeliveryParts,
): Promise<Posted> {
  const { conversationId, id } = message;
  const buttons = adapter.abilities.buttons ? buttonsOf(message) : [];
  if (buttons.length > 0) await presses.keep(buttons);
  const draft =
    adapter.presence?.preview === undefined ? undefined : await drafts.find(conversationId, runOfDelivery(id));
  const expiresAt = message.at + limits().expireMs;
  let first: Posted | undefined;
  for (const [index, part] of partsOf(message, adapter, buttons).entries()) {
    const sent = await sendPart(
      run,
      { index, part, draft: index === 0 ? draft : undefined, expiresAt },
      adapter,
      clock,
    );
    first ??= sent;
  }
  if (first === undefined) throw new Error(`The message ${id} has no parts`);
  if (draft !== undefined)
    await drafts.drop(conversationId, draft).catch((error: unknown) => {
      log.warn({ error: describeError(error) }, "the note of a preview could not be dropped; it ends by itself");
    });
  return first;
}

function readMessage(run: Run, { log }: DeliveryParts): OutboundMessage | undefined {
  const parsed = outboundMessageSchema.safeParse(run.messages()[0]);
  if (parsed.success) return parsed.data;
  log.error({ run: run.id, lane: run.lane, error: describeError(parsed.error) }, "an outbox entry could not be read");
  return undefined;
}

function parseOutbound(mail: Mail): OutboundMessage | undefined {
  try {
    return outboundMessageSchema.safeParse(contentOf(mail)).data;
  } catch {
    return undefined;
  }
}

function delivered(
  message: OutboundMessage,
  { postedId }: Posted,
  parts: DeliveryParts,
  covers: readonly { readonly key: string; readonly value: string }[] = [],
): Ending {
  parts.onDelivered?.(message, "delivered");
  const { keepMs, expireMs } = parts.limits();
  const effects = deliveredEffects(message, postedId, { keepMs, now: parts.clock.now() });
  const late = covers.map((record) => ({ ...record, ttlMs: Math.max(keepMs, expireMs) }));
  return drop({ ...effects, records: [...(effects.records ?? []), ...late] });
}

/** The platform will not take it: noted beside the messages it answers and in the dead letter list; the lane goes on. */
function dead(run: Run, message: OutboundMessage, reason: string, parts: DeliveryParts): Ending {
  parts.log.error({ run: run.id, delivery: message.id, reason }, "a delivery was given up");
  parts.onDelivered?.(message, "dead");
  return drop(deadEffects(message, reason, { keepMs: parts.limits().keepMs, now: parts.clock.now() }));
}

function unreadable(run: Run, { clock }: DeliveryParts): Ending {
  return drop({ records: [deadLetter(run.messages()[0] ?? run.entries, "unreadable", { now: clock.now() })] });
}

/** The lane keeps nothing of a delivery that is over. */
function drop(effects: Effects): Ending {
  return { kind: "finish", end: "done", journal: "drop", effects };
}
