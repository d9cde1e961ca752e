import { createRoute } from "@hono/zod-openapi";
import { requires } from "../auth.ts";
import { pageSchema, toolSchema } from "../contract.ts";
import { failures, json } from "../describe-route.ts";
import { wholePage } from "../paging.ts";
import type { Api, ApiParts } from "../parts.ts";

const listRoute = createRoute({
  method: "get",
  path: "/v1/tools",
  summary: "The tools the model can call",
  middleware: requires("read"),
  responses: { 200: json("All of them.", pageSchema(toolSchema)), ...failures(401, 403) },
});

/** Adds the list of tools. */
export function addToolRoutes(api: Api, { tools }: Pick<ApiParts, "tools">): void {
  api.openapi(listRoute, async (c) => {
    const all = await tools();
    const shown = all.map(({ name, description, effect, parameters }) => ({ name, description, effect, parameters }));
    return c.json(wholePage(shown), 200);
  });
}
