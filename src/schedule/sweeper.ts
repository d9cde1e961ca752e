import { schedule as startTicker, type ScheduledTask } from "node-cron";
import { describeError } from "../kernel/errors.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Log, NewId } from "../kernel/ports.ts";
import { slotMessageId } from "../kernel/schedules.ts";
import { contentOf, toMail } from "../store/mail.ts";
import type { DueSchedule, Fire, ScheduleStore } from "../store/schedules.ts";
import { statusLetter, unpackDefinition, type Definition } from "./definition.ts";
import { ranLine, skippedLine } from "./ledger.ts";
import type { Occurrences } from "./occurrences.ts";
import { planFires, spreadOffset } from "./plan.ts";

/** What the ticker has to say goes where everything goes, not to the terminal. */
function tickerLog(log: Log) {
  const tell = (level: "info" | "warn" | "error" | "debug") => (message: string | Error) =>
    log[level]({}, `the ticker of schedules: ${describeError(message)}`);
  return { info: tell("info"), warn: tell("warn"), error: tell("error"), debug: tell("debug") };
}

/** What a person sees of a fire. */
export const scheduledText = (description: string): string => `[Scheduled task]: ${description}`;

export interface SweeperParts {
  readonly store: ScheduleStore;
  readonly occurrences: Occurrences;
  readonly newId: NewId;
  readonly log: Log;
  /** Told of every slot that was put in a conversation. */
  readonly onFired?: (message: InboundMessage, lateMs: number) => void;
}

/** How long a schedule that fires no more can still be looked at. */
const ENDED_KEEP_MS = 30 * 86_400_000;
/** Another process takes over this long after the last tick of one that died. */
const LEASE_MS = 2_500;
const BATCH = 500;

/**
 * Fires what is due. Any number of processes may sweep: Redis holds the next fires and gives each slot out once. Only
 * the ticking is in memory; a process that starts late, sleeps or dies loses nothing.
 */
export function createSweeper({ store, occurrences, newId, log, onFired }: SweeperParts) {
  const me = newId();
  let stopped = false;
  let sweeping: Promise<number> | undefined;
  let ticker: ScheduledTask | undefined;

  /** Fires everything that is due now; resolves with how many slots were fired. */
  async function sweepAll(): Promise<number> {
    let fired = 0;
    for (let partition = 0; partition < store.partitions && !stopped; partition++)
      fired += await sweepPartition(partition);
    return fired;
  }

  async function sweepPartition(partition: number): Promise<number> {
    let fired = 0;
    while (!stopped) {
      const found = await store.sweep(partition, me, { leaseMs: LEASE_MS, limit: BATCH });
      if (found === undefined || found.due.length === 0) break;
      const fires: Fire[] = [];
      for (const due of found.due) {
        const fire = await prepare(due, found.now);
        if (fire !== undefined) fires.push(fire);
      }
      const replies = await store.fire(partition, fires);
      for (const [index, fire] of fires.entries()) if (replies[index] === true) fired += tell(fire, found.now);
      if (found.due.length < BATCH) break;
    }
    return fired;
  }

  async function prepare(schedule: DueSchedule, now: number): Promise<Fire | undefined> {
    const definition = unpackDefinition(schedule.definition);
    if (definition === undefined) {
      log.error({ schedule: schedule.id }, "a schedule cannot be read and fires no more");
      return {
        schedule,
        next: undefined,
        notes: [],
        messages: [],
        conversationId: "damaged" as Fire["conversationId"],
      };
    }
    if (schedule.retry !== undefined) return retryOf(schedule, schedule.retry, definition, now);
    if (definition.status === "ended") {
      const stored = { id: schedule.id, definition: schedule.definition, due: schedule.due, failures: 0 };
      await store.change(stored, definition.owner, "delete");
      return undefined;
    }
    return fireOf(schedule, definition, now);
  }

  function fireOf(schedule: DueSchedule, definition: Definition, now: number): Fire {
    const { due } = schedule;
    const plan = planFires({ ...definition, offsetMs: offsetOf(definition), due, now }, occurrences);
    const common = {
      schedule,
      notes: plan.skip.map(({ slot, why, count }) => skippedLine(slot, now, why, count)),
      messages: plan.fire.map((slot) => ({
        mail: mailOf(slotMessageId(schedule.id, slot), definition, now),
        note: ranLine(slot, now),
      })),
      conversationId: definition.conversationId,
    };
    if (plan.next !== undefined) return { ...common, next: plan.next };
    return { ...common, next: now + ENDED_KEEP_MS, status: statusLetter("ended") };
  }

  function tell(fire: Fire, now: number): number {
    for (const { mail } of fire.messages)
      onFired?.(contentOf(mail) as InboundMessage, Math.max(0, now - fire.schedule.due));
    return fire.messages.length;
  }

  return {
    /** Sweeps once, or waits for the sweep that is going on. */
    sweep(): Promise<number> {
      sweeping ??= sweepAll().finally(() => {
        sweeping = undefined;
      });
      return sweeping;
    },

    /** Sweeps every second until it is stopped. */
    start(): void {
      ticker = startTicker(
        "* * * * * *",
        () => {
          if (sweeping !== undefined) return;
          this.sweep().catch((error: unknown) =>
            log.warn({ error: describeError(error) }, "schedules could not be looked at; they wait"),
          );
        },
        // A tick that is missed on a busy machine is none: the next one finds what was due.
        { noOverlap: true, suppressMissedWarning: true, logger: tickerLog(log) },
      );
    },

    /** Ends the sweep that is going on at the next batch, and lets another process take over at once. */
    async stop(): Promise<void> {
      stopped = true;
      await ticker?.destroy();
      await sweeping?.catch(() => undefined);
      for (let partition = 0; partition < store.partitions; partition++)
        await store.release(partition, me).catch(() => undefined);
    },
  };
}

function retryOf(
  schedule: DueSchedule,
  retry: NonNullable<DueSchedule["retry"]>,
  definition: Definition,
  now: number,
): Fire {
  const id = slotMessageId(schedule.id, retry.slot, retry.attempt);
  // A retry stands in the ledger by its outcome; the slot has its line.
  const messages = [{ mail: mailOf(id, definition, now), note: ranLine(retry.slot, now) }];
  return { schedule, next: undefined, notes: [], messages, conversationId: definition.conversationId };
}

function mailOf(id: InboundMessage["id"], definition: Definition, at: number): Fire["messages"][number]["mail"] {
  const message: InboundMessage = {
    id,
    conversationId: definition.conversationId,
    workspaceId: definition.owner,
    text: scheduledText(definition.description),
    at,
  };
  return toMail(message);
}

/** By how much a schedule's fires are moved. */
export function offsetOf({
  owner,
  description,
  spreadMs,
}: Pick<Definition, "owner" | "description" | "spreadMs">): number {
  return spreadOffset(`${owner} ${description}`, spreadMs);
}
