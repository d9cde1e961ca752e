import { createRoute } from "@hono/zod-openapi";
import type { z } from "zod";
import type { Door } from "../../agent/door-contract.ts";
import { parseConversationId } from "../../kernel/ids.ts";
import { AmbiguousSchedule, type Schedules, type ScheduleView, type SlotView } from "../../kernel/schedules.ts";
import type { MessageLocator } from "../../store/message-locator.ts";
import { defaultConversation, requireMaySpeak, requirePerson } from "../access.ts";
import { requires } from "../auth.ts";
import { pageSchema } from "../contract.ts";
import { failures, json, jsonBody } from "../describe-route.ts";
import { ApiError, notFound } from "../errors.ts";
import { wholePage } from "../paging.ts";
import type { Api, Caller } from "../parts.ts";
import {
  changeScheduleSchema,
  confirmedScheduleSchema,
  createScheduleSchema,
  previewScheduleSchema,
  rehearsalSchema,
  scheduleParamsSchema,
  schedulePreviewSchema,
  scheduleSchema,
  schedulesQuerySchema,
  slotSchema,
} from "../schedule-contract.ts";

const PATH = "/v1/schedules/{id}";

const createScheduleRoute = createRoute({
  method: "post",
  path: "/v1/schedules",
  summary: "Schedule a task; ambiguous_schedule comes with the choices there are",
  middleware: requires("chat"),
  request: { body: jsonBody(createScheduleSchema) },
  responses: {
    201: json("The schedule.", confirmedScheduleSchema),
    ...failures(400, 401, 403, 409, 413, 415, 422),
  },
});

const previewRoute = createRoute({
  method: "post",
  path: "/v1/schedules/preview",
  summary: "What a phrase or cron expression means, with the next five fires; nothing is stored",
  middleware: requires("read"),
  request: { body: jsonBody(previewScheduleSchema) },
  responses: { 200: json("The rule.", schedulePreviewSchema), ...failures(400, 401, 403, 413, 415, 422) },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/schedules",
  summary: "A person's schedules in the order of their next fire",
  middleware: requires("read"),
  request: { query: schedulesQuerySchema },
  responses: { 200: json("All of them.", pageSchema(scheduleSchema)), ...failures(400, 401, 403) },
});

const getRoute = createRoute({
  method: "get",
  path: PATH,
  summary: "A schedule",
  middleware: requires("read"),
  request: { params: scheduleParamsSchema },
  responses: { 200: json("The schedule.", scheduleSchema), ...failures(400, 401, 403, 404) },
});

const changeRoute = createRoute({
  method: "patch",
  path: PATH,
  summary: "Change, pause or resume a schedule; what is not given stays",
  middleware: requires("chat"),
  request: { params: scheduleParamsSchema, body: jsonBody(changeScheduleSchema) },
  responses: {
    200: json("The changed schedule.", confirmedScheduleSchema),
    ...failures(400, 401, 403, 404, 413, 415),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: PATH,
  summary: "Delete a schedule with its history",
  middleware: requires("chat"),
  request: { params: scheduleParamsSchema },
  responses: { 204: { description: "It is gone." }, ...failures(400, 401, 403, 404) },
});

const runRoute = createRoute({
  method: "post",
  path: `${PATH}/run`,
  summary: "Do the task once now, as a rehearsal; the plan stays as it is",
  middleware: requires("chat"),
  request: { params: scheduleParamsSchema },
  responses: { 202: json("The message that was put.", rehearsalSchema), ...failures(400, 401, 403, 404, 422, 429) },
});

const historyRoute = createRoute({
  method: "get",
  path: `${PATH}/history`,
  summary: "The latest planned fires and what became of them, newest first",
  middleware: requires("read"),
  request: { params: scheduleParamsSchema },
  responses: { 200: json("The latest hundred or so.", pageSchema(slotSchema)), ...failures(400, 401, 403, 404) },
});

/** Adds the routes of schedules. */
export function addScheduleRoutes(
  api: Api,
  parts: { readonly schedules: Schedules; readonly door: Door; readonly locator: MessageLocator },
): void {
  const { schedules, door, locator } = parts;

  api.openapi(createScheduleRoute, async (c) => {
    const body = c.req.valid("json");
    requirePerson(c.var.caller, body.user_id);
    const conversationId = body.conversation_id ?? parseConversationId(defaultConversation(body.user_id));
    await requireMaySpeak(door, c.var.caller, conversationId);
    const added = await clearly(async () =>
      schedules.add({
        owner: body.user_id,
        conversationId,
        when: body.when,
        zone: body.tz ?? (await schedules.zoneOf(body.user_id)) ?? "UTC",
        description: body.description,
        catchUp: body.catch_up,
        maxLatenessMs: body.max_lateness_s === undefined ? undefined : body.max_lateness_s * 1000,
        operation: c.var.operation,
      }),
    );
    return c.json({ ...showSchedule(added), confirmation: await schedules.confirm(added) }, 201);
  });

  api.openapi(previewRoute, async (c) => {
    const { when, tz, from } = c.req.valid("json");
    const preview = await clearly(() =>
      schedules.preview({ when, zone: tz, ...(from === undefined ? {} : { from: Date.parse(from) }) }),
    );
    const { kind, rule, words, zone, next, lines } = preview;
    return c.json({ kind, rule, words, tz: zone, next: next.map(showInstant), local: [...lines] }, 200);
  });

  api.openapi(listRoute, async (c) => {
    const userId = c.req.valid("query").user_id ?? c.var.caller.userId;
    if (userId === undefined)
      throw new ApiError({ status: 400, code: "invalid_request", message: "user_id: is required" });
    requirePerson(c.var.caller, userId);
    return c.json(wholePage((await schedules.list(userId)).map(showSchedule)), 200);
  });

  api.openapi(getRoute, async (c) => {
    const { id } = c.req.valid("param");
    const found = await schedules.find(id, c.var.caller.userId);
    if (found === undefined) throw noSchedule(id);
    return c.json(showSchedule(found), 200);
  });

  api.openapi(changeRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { when, tz, description, catch_up, max_lateness_s, paused } = c.req.valid("json");
    const maxLatenessMs =
      max_lateness_s === undefined || max_lateness_s === null ? max_lateness_s : max_lateness_s * 1000;
    const change = { when, zone: tz, description, catchUp: catch_up, maxLatenessMs, paused };
    const changed = await clearly(() => schedules.change(id, change, c.var.caller.userId));
    if (changed === undefined) throw noSchedule(id);
    return c.json({ ...showSchedule(changed), confirmation: await schedules.confirm(changed) }, 200);
  });

  api.openapi(deleteRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!(await schedules.delete(id, c.var.caller.userId))) throw noSchedule(id);
    return c.body(null, 204);
  });

  api.openapi(runRoute, async (c) => {
    const { id } = c.req.valid("param");
    const target = await rehearsalTarget(id, c.var.caller);
    const ran = await schedules.run(id, c.var.operation, { owner: c.var.caller.userId, conversation: target });
    if (ran === undefined) throw noSchedule(id);
    await locator.claim(ran.messageId, ran.conversationId);
    return c.json({ message_id: ran.messageId, conversation_id: ran.conversationId }, 202);
  });

  api.openapi(historyRoute, async (c) => {
    const { id } = c.req.valid("param");
    const slots = await schedules.history(id, c.var.caller.userId);
    if (slots === undefined) throw noSchedule(id);
    return c.json(wholePage(slots.map(showSlot)), 200);
  });

  /** A rehearsal is read by its author alone: in a conversation of others it would be the real thing. */
  async function rehearsalTarget(id: string, caller: Caller) {
    const found = await schedules.find(id, caller.userId);
    if (found === undefined) throw noSchedule(id);
    const conversation = await door.conversation(found.conversationId);
    const own = conversation === undefined || conversation.owner === found.owner;
    return own ? found.conversationId : parseConversationId(defaultConversation(found.owner));
  }
}

async function clearly<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AmbiguousSchedule)) throw error;
    const { question, choices } = error;
    throw new ApiError({ status: 400, code: "ambiguous_schedule", message: question, choices });
  }
}

function noSchedule(id: string): ApiError {
  return notFound(`There is no schedule ${JSON.stringify(id)}`);
}

function showSchedule(view: ScheduleView): z.output<typeof scheduleSchema> {
  return {
    id: view.id,
    user_id: view.owner,
    conversation_id: view.conversationId,
    description: view.description,
    kind: view.kind,
    rule: view.rule,
    words: view.words,
    tz: view.zone,
    status: view.status,
    catch_up: view.catchUp,
    max_lateness_s: view.maxLatenessMs === undefined ? null : view.maxLatenessMs / 1000,
    spread_s: view.spreadMs / 1000,
    failures: view.failures,
    next: view.next.map(showInstant),
    created_at: showInstant(view.createdAt),
  };
}

function showSlot(slot: SlotView): z.output<typeof slotSchema> {
  const { run } = slot;
  return {
    slot: showInstant(slot.slot),
    did: slot.did,
    at: showInstant(slot.at),
    late_s: slot.lateMs / 1000,
    why: slot.why ?? null,
    count: slot.count,
    run: run === undefined ? null : { status: run.status, run_id: run.runId ?? null, attempt: run.attempt },
    deliveries: (run?.delivered ?? []).map(({ deliveryId, postedId, at }) => ({
      delivery_id: deliveryId,
      posted_id: postedId,
      delivered_at: showInstant(at),
    })),
  };
}

function showInstant(ms: number): string {
  return new Date(ms).toISOString();
}
