import { z } from "zod";
import type { ConversationId, MessageId, WorkspaceId } from "./ids.ts";

/** `s<partition>-<number>`, both in base 36. */
export type ScheduleId = string & { readonly schedule: unique symbol };

/** What becomes of fires that were missed while nothing ran: none, the latest, or all up to a limit. */
export type CatchUp = "skip" | "once" | "all";

/** A schedule as people see it. Instants are milliseconds since 1970. */
export interface ScheduleView {
  readonly id: ScheduleId;
  readonly owner: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly description: string;
  readonly kind: "once" | "interval" | "cron" | "calendar";
  /** The rule as it may be written again. */
  readonly rule: string;
  /** The rule in words. */
  readonly words: string;
  readonly zone: string;
  readonly status: "active" | "paused" | "disabled" | "ended";
  readonly catchUp: CatchUp;
  readonly maxLatenessMs: number | undefined;
  readonly spreadMs: number;
  readonly createdAt: number;
  /** The next fires, at most five; none unless it is active. */
  readonly next: readonly number[];
  /** Slots in a row that failed. */
  readonly failures: number;
}

/** A rule before anything is stored. */
export interface SchedulePreview {
  readonly kind: ScheduleView["kind"];
  readonly rule: string;
  readonly words: string;
  readonly zone: string;
  readonly next: readonly number[];
  /** `next` in local time, one to a line, with clock changes marked. */
  readonly lines: readonly string[];
}

/** A planned fire and what became of it. */
export interface SlotView {
  readonly slot: number;
  readonly did: "ran" | "skipped";
  /** When it was put in the conversation, or given up. */
  readonly at: number;
  readonly lateMs: number;
  /** Why it was skipped. */
  readonly why: string | undefined;
  /** How many slots this stands for; more than 1 only for skipped ones. */
  readonly count: number;
  readonly run: SlotRun | undefined;
}

/** The run of a slot; `delivered` is known for two days. */
export interface SlotRun {
  readonly status: "waiting" | "done" | "failed" | "stopped" | "silent";
  readonly runId: string | undefined;
  readonly attempt: number;
  readonly delivered: readonly { readonly deliveryId: string; readonly postedId: string; readonly at: number }[];
}

/** What is wanted of a new schedule. */
export interface ScheduleRequest {
  readonly owner: WorkspaceId;
  readonly conversationId: ConversationId;
  /** A phrase or a cron expression. */
  readonly when: string;
  /** Absent: the person's own, else it is asked for where it matters. */
  readonly zone?: string | undefined;
  readonly description: string;
  readonly catchUp?: CatchUp | undefined;
  readonly maxLatenessMs?: number | undefined;
  /** The same for every repetition of the same request: it is stored once. */
  readonly operation: string;
}

/** What may be changed of a schedule; what is absent stays. */
export interface ScheduleChange {
  readonly when?: string | undefined;
  readonly zone?: string | undefined;
  readonly description?: string | undefined;
  readonly catchUp?: CatchUp | undefined;
  readonly maxLatenessMs?: number | null | undefined;
  readonly paused?: boolean | undefined;
}

/** The words were understood in two ways; `choices` are complete, each with one meaning. */
export class AmbiguousSchedule extends Error {
  override readonly name = "AmbiguousSchedule";
  readonly question: string;
  readonly choices: readonly string[];

  constructor(question: string, choices: readonly string[]) {
    super(`${question} ${choices.join(" / ")}`);
    this.question = question;
    this.choices = choices;
  }
}

/**
 * The schedules of people. Methods that read words throw `InvalidInput` (code `invalid_schedule`) with the reason, or
 * {@link AmbiguousSchedule}. `owner` limits a call to that person's; for others there is no such schedule.
 */
export interface Schedules {
  preview(request: {
    readonly when: string;
    readonly zone: string;
    readonly from?: number | undefined;
  }): SchedulePreview;
  add(request: ScheduleRequest): Promise<ScheduleView>;
  find(id: string, owner?: WorkspaceId): Promise<ScheduleView | undefined>;
  /** In the order of their next fire. */
  list(owner: WorkspaceId): Promise<readonly ScheduleView[]>;
  change(id: string, change: ScheduleChange, owner?: WorkspaceId): Promise<ScheduleView | undefined>;
  delete(id: string, owner?: WorkspaceId): Promise<boolean>;
  /**
   * Fires it now, in `conversation` or its own, as a rehearsal: next fires and failures stay as they are. Safe to
   * repeat with the same `operation`.
   */
  run(
    id: string,
    operation: string,
    options?: { readonly owner?: WorkspaceId | undefined; readonly conversation?: ConversationId | undefined },
  ): Promise<{ readonly messageId: MessageId; readonly conversationId: ConversationId } | undefined>;
  /** Newest first. */
  history(id: string, owner?: WorkspaceId): Promise<readonly SlotView[] | undefined>;
  /** What the person is told about a schedule: rule in words, zone, next fires, where it is delivered. */
  confirm(view: ScheduleView): Promise<string>;
  /** The zone of a person; undefined when they never named one. */
  zoneOf(owner: WorkspaceId): Promise<string | undefined>;
  setZone(owner: WorkspaceId, zone: string): Promise<void>;
}

/** The lane in which the ends of scheduled runs are worked up, beside the conversation. */
export const SCHEDULE_LANE = "schedule";

/** How the run of a slot ended, as it is put in that lane. */
export const slotOutcomeSchema = z.object({
  schedule: z.string(),
  slot: z.number(),
  attempt: z.number(),
  run: z.string(),
  end: z.enum(["done", "failed", "stopped", "silent"]),
  /** How many steps the run had recorded. */
  steps: z.number(),
  at: z.number(),
  error: z.string().optional(),
});
export type SlotOutcome = z.infer<typeof slotOutcomeSchema>;

/** The id of the message of a slot: whoever fires it puts the same one. `attempt` counts from 1. */
export function slotMessageId(id: ScheduleId, slot: number, attempt = 1): MessageId {
  return `sched:${id}:${slot}${attempt === 1 ? "" : `:${attempt}`}` as MessageId;
}

/** The slot of a message that a schedule put; undefined for all other messages, rehearsals included. */
export function parseSlotMessage(
  message: string,
): { readonly id: ScheduleId; readonly slot: number; readonly attempt: number } | undefined {
  const [, id, slot, attempt] = /^sched:(s[0-9a-z]+-[0-9a-z]+):(\d+)(?::(\d+))?$/.exec(message) ?? [];
  if (id === undefined || slot === undefined) return undefined;
  return { id: id as ScheduleId, slot: Number(slot), attempt: Number(attempt ?? 1) };
}

/** Whether a message was put by a schedule, on time or as a rehearsal. */
export function isScheduled(message: string): boolean {
  return /^sched:s[0-9a-z]+-[0-9a-z]+:/.test(message);
}
