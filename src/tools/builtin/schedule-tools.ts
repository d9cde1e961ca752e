import { z } from "zod";
import { InvalidInput } from "../../kernel/errors.ts";
import { AmbiguousSchedule, type Schedules, type ScheduleView } from "../../kernel/schedules.ts";
import type { Tool } from "../contract.ts";
import { defineTool, question } from "../define.ts";

const WHEN =
  "A phrase such as `in 30m`, `tomorrow 9am`, `every day at 9:00`, `weekdays at 9am`, `first of the month 7:00`, or a " +
  "cron expression; `tz Europe/Madrid` may follow";
const id = z.string().min(1).max(40).describe("The schedule's id, from schedule_list");
const catchUp = z
  .enum(["skip", "once", "all"])
  .optional()
  .describe("What becomes of fires missed while nothing ran; once unless told otherwise");

/** `schedule_*`: what the model can do with the person's schedules. */
export function scheduleTools(schedules: Schedules): Tool[] {
  return [
    defineTool({
      name: "schedule_add",
      description:
        "Schedules a task: at its time the description arrives in this conversation as a message of its own. " +
        "When the time can be meant in two ways the person is asked; the result is then the clear wording to call this with again.",
      effect: "idempotent",
      trusted: true,
      timeoutMs: 10_000,
      input: z.object({
        when: z.string().describe(WHEN),
        description: z.string().describe("What is to be done then, as an instruction to yourself"),
        tz: z.string().optional().describe("IANA time zone; the person's own unless told otherwise"),
        catch_up: catchUp,
        max_lateness_s: z.number().int().positive().optional(),
      }),
      run: ({ when, description, tz, catch_up, max_lateness_s }, { workspaceId, conversationId, idempotencyKey }) =>
        asking(async () => {
          const added = await schedules.add({
            owner: workspaceId,
            conversationId,
            when,
            zone: tz,
            description,
            catchUp: catch_up,
            maxLatenessMs: max_lateness_s === undefined ? undefined : max_lateness_s * 1000,
            operation: idempotencyKey,
          });
          return { id: added.id, confirmation: await schedules.confirm(added) };
        }),
    }),
    defineTool({
      name: "schedule_list",
      description: "Lists the person's schedules with their next fires.",
      effect: "read",
      trusted: true,
      private: true,
      timeoutMs: 10_000,
      input: z.object({}),
      run: async (_input, { workspaceId }) => ({ schedules: (await schedules.list(workspaceId)).map(show) }),
    }),
    defineTool({
      name: "schedule_change",
      description: "Changes a schedule: its time, its task, or pauses and resumes it. What is not given stays.",
      effect: "idempotent",
      trusted: true,
      timeoutMs: 10_000,
      input: z.object({
        id,
        when: z.string().optional().describe(WHEN),
        tz: z.string().optional(),
        description: z.string().optional(),
        paused: z.boolean().optional(),
        catch_up: catchUp,
      }),
      run: ({ id, when, tz, description, paused, catch_up }, { workspaceId }) =>
        asking(async () => {
          const change = { when, zone: tz, description, paused, catchUp: catch_up };
          const changed = await schedules.change(id, change, workspaceId);
          if (changed === undefined) throw noSchedule(id);
          return { id: changed.id, confirmation: await schedules.confirm(changed) };
        }),
    }),
    defineTool({
      name: "schedule_delete",
      description: "Deletes a schedule of the person.",
      effect: "idempotent",
      trusted: true,
      timeoutMs: 10_000,
      input: z.object({ id }),
      run: async ({ id }, { workspaceId }) => ({ deleted: await schedules.delete(id, workspaceId) }),
    }),
    defineTool({
      name: "schedule_run",
      description: "Does a scheduled task once now, as a rehearsal in this conversation; its plan stays as it is.",
      effect: "idempotent",
      trusted: true,
      timeoutMs: 10_000,
      input: z.object({ id }),
      run: async ({ id }, { workspaceId, conversationId, idempotencyKey }) => {
        const operation = idempotencyKey.replaceAll(":", ".");
        const ran = await schedules.run(id, operation, { owner: workspaceId, conversation: conversationId });
        if (ran === undefined) throw noSchedule(id);
        return { started: true };
      },
    }),
    defineTool({
      name: "schedule_history",
      description:
        "Shows what became of a schedule's latest fires: ran or skipped and why, how late, delivered or not.",
      effect: "read",
      trusted: true,
      timeoutMs: 10_000,
      input: z.object({ id }),
      run: async ({ id }, { workspaceId }) => {
        const slots = await schedules.history(id, workspaceId);
        if (slots === undefined) throw noSchedule(id);
        return {
          slots: slots.slice(0, 20).map((slot) => ({ ...slot, slot: iso(slot.slot), at: iso(slot.at) })),
        };
      },
    }),
  ];
}

/** What can be meant in two ways is put to the person. */
async function asking<T>(work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AmbiguousSchedule) return question(error.question, error.choices);
    throw error;
  }
}

function noSchedule(id: string): InvalidInput {
  return new InvalidInput(`The person has no schedule ${JSON.stringify(id)}; schedule_list shows those there are`, {
    code: "no_such_schedule",
  });
}

function show({ id, description, words, zone, status, next }: ScheduleView) {
  return { id, description, when: words, tz: zone, status, next: next.slice(0, 3).map(iso) };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
