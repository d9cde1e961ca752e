import { z } from "zod";
import { parseConversationId, parseWorkspaceId } from "../kernel/ids.ts";
import { idFrom } from "./id-schema.ts";

// The public shapes of schedules; strict as those in contract.ts.

const instant = z.iso.datetime().meta({ description: "ISO 8601, UTC." });
const userId = idFrom(parseWorkspaceId, "Whose schedule it is.");
const when = z
  .string()
  .min(1, "must not be empty")
  .max(200)
  .meta({ description: "A phrase such as `every day at 9:00`, or a cron expression." });
const tz = z.string().min(1).max(64).meta({ description: "IANA time zone." });
const description = z.string().min(1, "must not be empty").max(2_000).meta({ description: "What is to be done." });
const catchUp = z
  .enum(["skip", "once", "all"])
  .meta({ description: "What becomes of missed fires: none, the latest, or up to ten are made up for." });
const maxLatenessS = z.number().int().min(1).max(31_536_000);
const kind = z.enum(["once", "interval", "cron", "calendar"]);

/** `POST /v1/schedules`. */
export const createScheduleSchema = z
  .strictObject({
    user_id: userId,
    conversation_id: idFrom(parseConversationId, "Where it fires.").optional(),
    when,
    tz: tz.optional(),
    description,
    catch_up: catchUp.optional(),
    max_lateness_s: maxLatenessS.optional(),
  })
  .meta({ id: "CreateSchedule" });

/** `PATCH /v1/schedules/:id`; what is not given stays. */
export const changeScheduleSchema = z
  .strictObject({
    when: when.optional(),
    tz: tz.optional(),
    description: description.optional(),
    catch_up: catchUp.optional(),
    max_lateness_s: maxLatenessS.nullable().optional(),
    paused: z.boolean().optional(),
  })
  .meta({ id: "ChangeSchedule" });

/** `POST /v1/schedules/preview`. */
export const previewScheduleSchema = z
  .strictObject({ when, tz, from: instant.optional().meta({ description: "Now, unless given." }) })
  .meta({ id: "PreviewSchedule" });

/** What a phrase or expression means. */
export const schedulePreviewSchema = z
  .object({
    kind,
    rule: z.string(),
    words: z.string(),
    tz: z.string(),
    next: z.array(instant).meta({ description: "The next fires, at most five." }),
    local: z.array(z.string()).meta({ description: "The same in local time, with clock changes marked." }),
  })
  .meta({ id: "SchedulePreview" });

/** The path of one schedule. */
export const scheduleParamsSchema = z.object({ id: z.string().min(1).max(40) });

/** `GET /v1/schedules`. */
export const schedulesQuerySchema = z.strictObject({ user_id: userId.optional() });

/** A schedule. */
export const scheduleSchema = z
  .object({
    id: z.string(),
    user_id: z.string(),
    conversation_id: z.string(),
    description: z.string(),
    kind,
    rule: z.string(),
    words: z.string(),
    tz: z.string(),
    status: z.enum(["active", "paused", "disabled", "ended"]),
    catch_up: catchUp,
    max_lateness_s: z.number().int().nullable(),
    spread_s: z.number().int(),
    failures: z.number().int().meta({ description: "Fires in a row whose runs failed." }),
    next: z.array(instant).meta({ description: "The next fires, at most five." }),
    created_at: instant,
  })
  .meta({ id: "Schedule" });

/** A schedule that was just made or changed, with what its person is told. */
export const confirmedScheduleSchema = scheduleSchema
  .extend({ confirmation: z.string() })
  .meta({ id: "ConfirmedSchedule" });

/** The reply to a rehearsal: where its answer will be. */
export const rehearsalSchema = z
  .object({ message_id: z.string(), conversation_id: z.string() })
  .meta({ id: "Rehearsal" });

/** A planned fire and what became of it. */
export const slotSchema = z
  .object({
    slot: instant.meta({ description: "When it was planned for." }),
    did: z.enum(["ran", "skipped"]),
    at: instant.meta({ description: "When it was put in the conversation, or given up." }),
    late_s: z.number(),
    why: z.string().nullable().meta({ description: "Why it was skipped." }),
    count: z.number().int().meta({ description: "How many fires this entry stands for." }),
    run: z
      .object({
        status: z.enum(["waiting", "done", "failed", "stopped", "silent"]),
        run_id: z.string().nullable(),
        attempt: z.number().int(),
      })
      .nullable(),
    deliveries: z.array(z.object({ delivery_id: z.string(), posted_id: z.string(), delivered_at: instant })),
  })
  .meta({ id: "ScheduleSlot" });
