import { createRoute } from "@hono/zod-openapi";
import type { Door } from "../../agent/door-contract.ts";
import { getConversation } from "../access.ts";
import { requires } from "../auth.ts";
import { runParamsSchema, runSchema } from "../contract.ts";
import { failures, json } from "../describe-route.ts";
import { ApiError, notFound } from "../errors.ts";
import type { Api } from "../parts.ts";
import { showRun } from "../show.ts";

const getRoute = createRoute({
  method: "get",
  path: "/v1/runs/{id}",
  summary: "A run with its steps",
  middleware: requires("read"),
  request: { params: runParamsSchema },
  responses: { 200: json("The run.", runSchema), ...failures(400, 401, 403, 404) },
});

/** Adds the routes of runs. */
export function addRunRoutes(api: Api, { door }: { readonly door: Door }): void {
  api.openapi(getRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { caller } = c.var;
    const run = await door.run(id);
    const missing = notFound(`There is no run ${JSON.stringify(id)}`);
    if (run === undefined) throw missing;
    if (caller.userId !== undefined)
      await getConversation(door, caller, run.conversationId).catch((error: unknown) => {
        throw error instanceof ApiError ? missing : error;
      });
    return c.json(showRun(run), 200);
  });
}
