import { createRoute } from "@hono/zod-openapi";
import { asDecider } from "../../agent/approvals/commands.ts";
import type { Decider } from "../../agent/approvals/deciding.ts";
import { describeState } from "../../agent/approvals/view.ts";
import type { Door } from "../../agent/door-contract.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import { getConversation, requirePerson } from "../access.ts";
import { hasScope, requires } from "../auth.ts";
import {
  approvalParamsSchema,
  approvalSchema,
  approvalsSchema,
  conversationParamsSchema,
  decideApprovalSchema,
} from "../contract.ts";
import { failures, json, jsonBody } from "../describe-route.ts";
import { ApiError, forbidden, notFound } from "../errors.ts";
import type { Api, Caller } from "../parts.ts";
import { showApprovalOfRun } from "../show.ts";
import { describeDeciders } from "../../agent/approvals/card.ts";

const getRoute = createRoute({
  method: "get",
  path: "/v1/approvals/{id}",
  summary: "What was put up for approval, and what became of it",
  middleware: requires("read"),
  request: { params: approvalParamsSchema },
  responses: { 200: json("The approval.", approvalSchema), ...failures(400, 401, 403, 404) },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/conversations/{id}/approvals",
  summary: "What a conversation waits for somebody to approve",
  middleware: requires("read"),
  request: { params: conversationParamsSchema },
  responses: { 200: json("All of them.", approvalsSchema), ...failures(400, 401, 403, 404) },
});

const decideRoute = createRoute({
  method: "post",
  path: "/v1/approvals/{id}",
  summary: "Approve or deny a call; the first decision counts",
  middleware: requires("chat"),
  request: { params: approvalParamsSchema, body: jsonBody(decideApprovalSchema) },
  responses: {
    200: json("The decision counts; the run goes on.", approvalSchema),
    ...failures(400, 401, 403, 404, 409),
  },
});

/** Adds the routes of approvals. */
export function addApprovalRoutes(
  api: Api,
  { door, admins }: { readonly door: Door; readonly admins: () => readonly string[] },
): void {
  api.openapi(getRoute, async (c) => {
    const { id } = c.req.valid("param");
    const approval = await door.approval(id);
    if (approval === undefined) throw missing(id);
    const { caller } = c.var;
    if (caller.userId !== undefined && caller.userId !== approval.askedOf && !admins().includes(caller.userId))
      await getConversation(door, caller, approval.conversationId).catch((error: unknown) => {
        throw error instanceof ApiError ? missing(id) : error;
      });
    return c.json(showApprovalOfRun(approval), 200);
  });

  api.openapi(listRoute, async (c) => {
    const { id } = c.req.valid("param");
    await getConversation(door, c.var.caller, id);
    return c.json({ data: (await door.openApprovals(id)).map(showApprovalOfRun) }, 200);
  });

  api.openapi(decideRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { decision, user_id: person } = c.req.valid("json");
    const by = deciderOf(c.var.caller, person, admins());
    const decided = await door.decideApproval({ id, verdict: decision, by, operation: c.var.operation });
    if (decided.outcome === "unknown") throw missing(id);
    if (decided.outcome === "forbidden")
      throw forbidden(`Only ${describeDeciders(decided.approval.askedOf)} may decide this`);
    const { approval } = decided;
    // Who says the same again learns that it is so; who says otherwise must not believe that it counts.
    const isSame = approval.state === (decision === "approve" ? "approved" : "denied");
    if (decided.outcome === "decided" && !isSame)
      throw new ApiError({
        status: 409,
        code: "approval_decided",
        message: `Nothing was changed: this is ${describeState(approval)}`,
      });
    return c.json(showApprovalOfRun(approval), 200);
  });
}

function missing(id: string): ApiError {
  return notFound(`There is no approval ${JSON.stringify(id)}`);
}

function deciderOf(caller: Caller, person: WorkspaceId | undefined, admins: readonly string[]): Decider {
  if (person !== undefined) requirePerson(caller, person);
  const acting = person ?? caller.userId;
  if (acting !== undefined) return asDecider(acting, admins);
  if (hasScope(caller, "admin")) return { name: "an administrator", admin: true };
  throw new ApiError({
    status: 400,
    code: "invalid_request",
    message: "user_id: is required for a key that is neither bound to a person nor an administrator's",
  });
}
