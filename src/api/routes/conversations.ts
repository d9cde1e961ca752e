import { createRoute } from "@hono/zod-openapi";
import { getConversation, requirePerson } from "../access.ts";
import { requires } from "../auth.ts";
import { takesNoFields } from "../body.ts";
import {
  conversationParamsSchema,
  conversationSchema,
  conversationsQuerySchema,
  conversationSummarySchema,
  pageQuerySchema,
  pageSchema,
  resetSchema,
  stoppedSchema,
  transcriptMessageSchema,
} from "../contract.ts";
import { failures, json } from "../describe-route.ts";
import { pageOfList, pageOfTimed, parseTimedQuery } from "../paging.ts";
import type { Api, ApiParts } from "../parts.ts";
import { showConversation, showConversationSummary, showTranscriptMessage } from "../show.ts";

const listRoute = createRoute({
  method: "get",
  path: "/v1/conversations",
  summary: "Conversations, the one last used first",
  middleware: requires("read"),
  request: { query: conversationsQuerySchema },
  responses: { 200: json("One page.", pageSchema(conversationSummarySchema)), ...failures(400, 401, 403) },
});

const getRoute = createRoute({
  method: "get",
  path: "/v1/conversations/{id}",
  summary: "What a conversation is doing",
  middleware: requires("read"),
  request: { params: conversationParamsSchema },
  responses: { 200: json("The conversation.", conversationSchema), ...failures(400, 401, 403, 404) },
});

const messagesRoute = createRoute({
  method: "get",
  path: "/v1/conversations/{id}/messages",
  summary: "What people said and saw, oldest first",
  middleware: requires("read"),
  request: { params: conversationParamsSchema, query: pageQuerySchema },
  responses: { 200: json("One page.", pageSchema(transcriptMessageSchema)), ...failures(400, 401, 403, 404) },
});

const stopRoute = createRoute({
  method: "post",
  path: "/v1/conversations/{id}/stop",
  summary: "Stop the current run; its messages are answered with what had been done",
  middleware: [requires("chat"), takesNoFields()],
  request: { params: conversationParamsSchema },
  responses: { 200: json("Whether there was a run to stop.", stoppedSchema), ...failures(400, 401, 403, 404) },
});

const resetRoute = createRoute({
  method: "post",
  path: "/v1/conversations/{id}/reset",
  summary: "Forget the conversation's history; the person's memory stays",
  middleware: [requires("chat"), takesNoFields()],
  request: { params: conversationParamsSchema },
  responses: {
    200: json("It is forgotten as soon as the current run, if any, is over.", resetSchema),
    ...failures(400, 401, 403, 404),
  },
});

/** Adds the routes of conversations, without their event streams. */
export function addConversationRoutes(
  api: Api,
  { door, links, fileLinks }: Pick<ApiParts, "door" | "links" | "fileLinks">,
): void {
  api.openapi(listRoute, async (c) => {
    const { user_id: asked, ...query } = c.req.valid("query");
    if (asked !== undefined) requirePerson(c.var.caller, asked);
    const account = asked ?? c.var.caller.userId;
    const workspaceId = account === undefined ? undefined : await links.resolve(account);
    const timed = parseTimedQuery(query);
    const found = await door.conversations({
      limit: timed.limit,
      ...(timed.before === undefined ? {} : { before: timed.before }),
      ...(workspaceId === undefined ? {} : { workspaceId }),
    });
    const page = pageOfTimed(found, timed, query.limit, { idOf: ({ id }) => id, atOf: (item) => item.lastActivityAt });
    return c.json({ ...page, data: page.data.map(showConversationSummary) }, 200);
  });

  api.openapi(getRoute, async (c) => {
    const conversation = await getConversation(door, c.var.caller, c.req.valid("param").id);
    return c.json(showConversation(conversation), 200);
  });

  api.openapi(messagesRoute, async (c) => {
    const { id } = c.req.valid("param");
    await getConversation(door, c.var.caller, id);
    // A caller may choose a message id that looks like a delivery's.
    const page = pageOfList(
      await door.transcript(id),
      (message) => `${message.role}/${message.id}`,
      c.req.valid("query"),
    );
    return c.json({ ...page, data: page.data.map((message) => showTranscriptMessage(message, fileLinks)) }, 200);
  });

  api.openapi(stopRoute, async (c) => {
    const { id } = c.req.valid("param");
    await getConversation(door, c.var.caller, id);
    const { stopped, runId } = await door.stop(id);
    return c.json({ stopped, run_id: runId ?? null }, 200);
  });

  api.openapi(resetRoute, async (c) => {
    const { id } = c.req.valid("param");
    await getConversation(door, c.var.caller, id);
    await door.reset(id);
    return c.json({ id, reset: true as const }, 200);
  });
}
