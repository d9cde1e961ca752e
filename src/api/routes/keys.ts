import { createRoute } from "@hono/zod-openapi";
import type { ApiKeyStore } from "../../store/api-keys.ts";
import { requiresAdmin } from "../auth.ts";
import { createdKeySchema, createKeySchema, keyParamsSchema, keySchema, pageSchema } from "../contract.ts";
import { failures, json, jsonBody } from "../describe-route.ts";
import { notFound } from "../errors.ts";
import { wholePage } from "../paging.ts";
import type { Api } from "../parts.ts";
import { showKey } from "../show.ts";

const createKeyRoute = createRoute({
  method: "post",
  path: "/v1/keys",
  summary: "Make an API key; from the first one on, every caller needs a key",
  middleware: requiresAdmin(),
  request: { body: jsonBody(createKeySchema) },
  responses: { 201: json("The key, shown this once.", createdKeySchema), ...failures(400, 401, 403, 413, 415, 422) },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/keys",
  summary: "All stored API keys, oldest first, without the keys themselves",
  middleware: requiresAdmin(),
  responses: { 200: json("All of them.", pageSchema(keySchema)), ...failures(401, 403) },
});

const revokeRoute = createRoute({
  method: "delete",
  path: "/v1/keys/{id}",
  summary: "Take an API key back at once",
  middleware: requiresAdmin(),
  request: { params: keyParamsSchema },
  responses: { 204: { description: "It is no longer accepted." }, ...failures(400, 401, 403, 404) },
});

/** Adds the routes of API keys. */
export function addKeyRoutes(api: Api, { keys }: { readonly keys: ApiKeyStore }): void {
  api.openapi(createKeyRoute, async (c) => {
    const { name, scopes, user_id: userId } = c.req.valid("json");
    const created = await keys.create({ name, scopes, ...(userId === undefined ? {} : { userId }) });
    return c.json({ id: created.id, key: created.key }, 201);
  });

  api.openapi(listRoute, async (c) => c.json(wholePage((await keys.list()).map(showKey)), 200));

  api.openapi(revokeRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!(await keys.revoke(id))) throw notFound(`There is no API key with the id ${JSON.stringify(id)}`);
    return c.body(null, 204);
  });
}
