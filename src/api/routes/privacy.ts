import { createRoute } from "@hono/zod-openapi";
import { requirePerson } from "../access.ts";
import { requires } from "../auth.ts";
import { exportSchema, receiptSchema, workspaceParamsSchema } from "../contract.ts";
import { failures, json } from "../describe-route.ts";
import { forbidden } from "../errors.ts";
import type { Api, ApiParts } from "../parts.ts";

const exportRoute = createRoute({
  method: "get",
  path: "/v1/workspaces/{user_id}/export",
  summary: "Everything kept of a person, without the values of secrets",
  middleware: requires("read"),
  request: { params: workspaceParamsSchema },
  responses: { 200: json("The document.", exportSchema), ...failures(400, 401, 403) },
});

const eraseRoute = createRoute({
  method: "delete",
  path: "/v1/workspaces/{user_id}",
  summary: "Delete everything kept of a person; repeat it after a failure",
  description: "Needs the scope admin, or a key that is bound to the person.",
  middleware: requires("chat"),
  request: { params: workspaceParamsSchema },
  responses: { 200: json("What was deleted.", receiptSchema), ...failures(400, 401, 403, 503) },
});

/** Adds the routes by which people get what is kept of them, and have it deleted. */
export function addPrivacyRoutes(api: Api, { privacy, links }: Pick<ApiParts, "privacy" | "links">): void {
  api.openapi(exportRoute, async (c) => {
    const { user_id: userId } = c.req.valid("param");
    requirePerson(c.var.caller, userId);
    const document = await privacy.export(await links.resolve(userId));
    return c.json({ ...document, workspaces: [...document.workspaces] }, 200);
  });

  api.openapi(eraseRoute, async (c) => {
    const { user_id: userId } = c.req.valid("param");
    const { caller, operation } = c.var;
    requirePerson(caller, userId);
    if (caller.userId === undefined && !caller.scopes.includes("admin"))
      throw forbidden("This needs an API key with the scope admin, or one that is bound to the person");
    const receipt = await privacy.forget(await links.resolve(userId), {
      operation: `api:${operation}`,
      by: caller.userId === undefined ? "admin" : "person",
    });
    const { deleted, kept, interrupted, at } = receipt;
    return c.json(
      { user_id: userId, deleted: { ...deleted }, kept: [...kept], interrupted, at: new Date(at).toISOString() },
      200,
    );
  });
}
