import { createRoute } from "@hono/zod-openapi";
import { InvalidInput } from "../../kernel/errors.ts";
import { Secret } from "../../kernel/secret.ts";
import { requirePerson } from "../access.ts";
import { requires } from "../auth.ts";
import {
  credentialParamsSchema,
  credentialSchema,
  pageSchema,
  setCredentialSchema,
  workspaceParamsSchema,
} from "../contract.ts";
import { failures, json, jsonBody } from "../describe-route.ts";
import { notFound } from "../errors.ts";
import { wholePage } from "../paging.ts";
import type { Api, ApiParts } from "../parts.ts";

const listRoute = createRoute({
  method: "get",
  path: "/v1/workspaces/{user_id}/credentials",
  summary: "The names of what a person connected, never the values",
  middleware: requires("read"),
  request: { params: workspaceParamsSchema },
  responses: { 200: json("All of them, by name.", pageSchema(credentialSchema)), ...failures(400, 401, 403) },
});

const putRoute = createRoute({
  method: "put",
  path: "/v1/workspaces/{user_id}/credentials/{name}",
  summary: "Store or replace a credential, encrypted",
  middleware: requires("chat"),
  request: { params: credentialParamsSchema, body: jsonBody(setCredentialSchema) },
  responses: { 204: { description: "It is stored." }, ...failures(400, 401, 403, 413, 415) },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/v1/workspaces/{user_id}/credentials/{name}",
  summary: "Delete a credential",
  middleware: requires("chat"),
  request: { params: credentialParamsSchema },
  responses: { 204: { description: "It is deleted." }, ...failures(400, 401, 403, 404) },
});

/** Adds the routes of credentials. */
export function addCredentialRoutes(
  api: Api,
  { credentials, links, clock }: Pick<ApiParts, "credentials" | "links" | "clock">,
): void {
  api.openapi(listRoute, async (c) => {
    const { user_id: userId } = c.req.valid("param");
    requirePerson(c.var.caller, userId);
    const all = (await credentials?.list(await links.resolve(userId))) ?? [];
    return c.json(wholePage(all.map(({ name, at }) => ({ name, at: new Date(at).toISOString() }))), 200);
  });

  api.openapi(putRoute, async (c) => {
    const { user_id: userId, name } = c.req.valid("param");
    requirePerson(c.var.caller, userId);
    const value = new Secret(c.req.valid("json").value);
    await store().set(await links.resolve(userId), { name, value, at: clock.now() });
    return c.body(null, 204);
  });

  api.openapi(deleteRoute, async (c) => {
    const { user_id: userId, name } = c.req.valid("param");
    requirePerson(c.var.caller, userId);
    if (!(await store().delete(await links.resolve(userId), name)))
      throw notFound(`There is no credential ${JSON.stringify(name)}`);
    return c.body(null, 204);
  });

  function store() {
    if (credentials === undefined)
      throw new InvalidInput("Credentials cannot be kept here: set PARLEY_MASTER_KEY first", { code: "no_master_key" });
    return credentials;
  }
}
