import { createRoute } from "@hono/zod-openapi";
import type { IncomingFile } from "../../agent/attachment-intake.ts";
import { parseConversationId, parseMessageId, type ConversationId, type MessageId } from "../../kernel/ids.ts";
import { mediaTypeOfName } from "../../store/artifacts.ts";
import type { MessageLocator } from "../../store/message-locator.ts";
import { defaultConversation, getConversation, requireMaySpeak, requirePerson } from "../access.ts";
import { requires } from "../auth.ts";
import {
  editMessageSchema,
  messageParamsSchema,
  messageStatusSchema,
  receivedSchema,
  sendMessageSchema,
} from "../contract.ts";
import { failures, json, jsonBody } from "../describe-route.ts";
import { ApiError, notFound } from "../errors.ts";
import type { Api, ApiParts, Caller } from "../parts.ts";
import { showAttachment, showMessageStatus } from "../show.ts";

const sendRoute = createRoute({
  method: "post",
  path: "/v1/messages",
  summary: "Send a message; the reply comes when it is kept, the answer later",
  middleware: requires("chat"),
  request: { body: jsonBody(sendMessageSchema) },
  responses: {
    202: json("The message is kept, now or since an earlier time.", receivedSchema),
    ...failures(400, 401, 403, 409, 413, 415, 422, 429),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/v1/messages/{id}",
  summary: "Where a message is, with its answers",
  middleware: requires("read"),
  request: { params: messageParamsSchema },
  responses: { 200: json("The message.", messageStatusSchema), ...failures(400, 401, 403, 404) },
});

const editRoute = createRoute({
  method: "patch",
  path: "/v1/messages/{id}",
  summary: "Change the text of a message that still waits",
  middleware: requires("chat"),
  request: { params: messageParamsSchema, body: jsonBody(editMessageSchema) },
  responses: { 200: json("The changed message.", messageStatusSchema), ...failures(400, 401, 403, 404, 409, 413, 415) },
});

const withdrawRoute = createRoute({
  method: "delete",
  path: "/v1/messages/{id}",
  summary: "Withdraw a message that still waits",
  middleware: requires("chat"),
  request: { params: messageParamsSchema },
  responses: { 200: json("The withdrawn message.", messageStatusSchema), ...failures(400, 401, 403, 404, 409) },
});

/** Adds the routes of messages. */
export function addMessageRoutes(
  api: Api,
  parts: Pick<ApiParts, "door" | "clock" | "fileLinks" | "attachments"> & { readonly locator: MessageLocator },
): void {
  const { door, locator, clock, fileLinks, attachments: intake } = parts;

  api.openapi(sendRoute, async (c) => {
    const body = c.req.valid("json");
    requirePerson(c.var.caller, body.user_id);
    const conversationId = body.conversation_id ?? parseConversationId(defaultConversation(body.user_id));
    await requireMaySpeak(door, c.var.caller, conversationId);
    const id = body.message_id ?? parseMessageId(`msg_${c.var.operation}`);
    const where = await locator.claim(id, conversationId);
    if (where !== conversationId) throw conflict(id);
    const message = { workspaceId: body.user_id, conversationId, id };
    // Kept before the message is: what the message names is there.
    const attachments =
      body.attachments === undefined ? undefined : await intake.take(message, body.attachments.map(toFile));
    const { status, position } = await door.admit({
      id,
      conversationId,
      workspaceId: body.user_id,
      text: body.text,
      ...(attachments === undefined ? {} : { attachments }),
      at: clock.now(),
    });
    return c.json(
      {
        id,
        conversation_id: conversationId,
        status,
        position,
        ...(attachments === undefined ? {} : { attachments: attachments.map(showAttachment) }),
      },
      202,
    );
  });

  api.openapi(getRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { status } = await locate(c.var.caller, id);
    return c.json(showMessageStatus(status, fileLinks), 200);
  });

  api.openapi(editRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { conversation } = await locate(c.var.caller, id);
    const outcome = await door.editMessage(conversation, id, c.req.valid("json").text);
    requireWaiting(outcome, id);
    const { status } = await locate(c.var.caller, id);
    return c.json(showMessageStatus(status, fileLinks), 200);
  });

  api.openapi(withdrawRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { conversation } = await locate(c.var.caller, id);
    const outcome = await door.withdrawMessage(conversation, id);
    requireWaiting(outcome, id);
    const { status } = await locate(c.var.caller, id);
    return c.json(showMessageStatus(status, fileLinks), 200);
  });

  async function locate(caller: Caller, id: MessageId) {
    const conversation: ConversationId | undefined = await locator.find(id);
    if (conversation === undefined) throw noMessage(id);
    if (caller.userId !== undefined)
      await getConversation(door, caller, conversation).catch((error: unknown) => {
        // Not even in whose conversation it is may be told.
        throw error instanceof ApiError ? noMessage(id) : error;
      });
    const status = await door.messageStatus(conversation, id);
    if (status === undefined) throw noMessage(id);
    return { conversation, status };
  }
}

function toFile(given: {
  readonly name: string;
  readonly media_type?: string | undefined;
  readonly content_base64?: string | undefined;
  readonly text?: string | undefined;
  readonly url?: string | undefined;
}): IncomingFile {
  const { name, content_base64: base64, text, url } = given;
  const mimeType = given.media_type ?? mediaTypeOfName(name);
  if (base64 !== undefined) return { name, mimeType, content: Buffer.from(base64, "base64") };
  if (text !== undefined) return { name, mimeType, content: Buffer.from(text.toWellFormed()) };
  return { name, mimeType, url: url ?? "" };
}

function requireWaiting(outcome: "changed" | "withdrawn" | "taken" | "unknown", id: MessageId): void {
  if (outcome === "unknown") throw noMessage(id);
  if (outcome === "taken")
    throw new ApiError({
      status: 409,
      code: "message_taken",
      message: `The message ${JSON.stringify(id)} no longer waits: its answer is under way or done`,
    });
}

function noMessage(id: MessageId): ApiError {
  return notFound(`There is no message ${JSON.stringify(id)}`);
}

function conflict(id: MessageId): ApiError {
  return new ApiError({
    status: 409,
    code: "message_id_conflict",
    message: `The message_id ${JSON.stringify(id)} was used in another conversation`,
  });
}
