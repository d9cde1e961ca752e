import { createRoute } from "@hono/zod-openapi";
import { requirePerson } from "../access.ts";
import { requires } from "../auth.ts";
import { memorySchema, workspaceParamsSchema } from "../contract.ts";
import { failures, json } from "../describe-route.ts";
import type { Api, ApiParts } from "../parts.ts";
import { showMemory } from "../show.ts";

const memoryRoute = createRoute({
  method: "get",
  path: "/v1/workspaces/{user_id}/memory",
  summary: "What is remembered for a person; the values of secrets are not shown",
  middleware: requires("read"),
  request: { params: workspaceParamsSchema },
  responses: { 200: json("All entries, by key.", memorySchema), ...failures(400, 401, 403) },
});

/** Adds the routes of people's workspaces. */
export function addWorkspaceRoutes(api: Api, { memory, links }: Pick<ApiParts, "memory" | "links">): void {
  api.openapi(memoryRoute, async (c) => {
    const { user_id: userId } = c.req.valid("param");
    requirePerson(c.var.caller, userId);
    return c.json(showMemory(await memory.list(await links.resolve(userId))), 200);
  });
}
