import { createRoute } from "@hono/zod-openapi";
import { parseWorkspaceId } from "../../kernel/ids.ts";
import type { PairingStore } from "../../store/pairings.ts";
import { requiresAdmin } from "../auth.ts";
import { failures, json, jsonBody } from "../describe-route.ts";
import { ApiError, notFound } from "../errors.ts";
import { pairedSchema, pairingParamsSchema, pairingsSchema, pairSchema } from "../pairing-contract.ts";
import type { Api } from "../parts.ts";

const pairRoute = createRoute({
  method: "post",
  path: "/v1/pairings",
  summary: "Let somebody talk to the bot on a chat platform, by the code they were given",
  middleware: requiresAdmin(),
  request: { body: jsonBody(pairSchema) },
  responses: { 201: json("They may talk to it.", pairedSchema), ...failures(400, 401, 403, 404, 409, 413, 415, 422) },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/pairings",
  summary: "Who was let in, and who asks to be",
  middleware: requiresAdmin(),
  responses: { 200: json("All of them, oldest first.", pairingsSchema), ...failures(401, 403) },
});

const removeRoute = createRoute({
  method: "delete",
  path: "/v1/pairings/{user_id}",
  summary: "Let somebody no longer talk to the bot",
  middleware: requiresAdmin(),
  request: { params: pairingParamsSchema },
  responses: { 204: { description: "They are strangers again." }, ...failures(400, 401, 403, 404) },
});

/** Adds the routes of pairings. */
export function addPairingRoutes(api: Api, { pairings }: { readonly pairings: PairingStore }): void {
  api.openapi(pairRoute, async (c) => {
    const paired = await pairings.pair(c.req.valid("json").code, "an administrator");
    if (paired === "unknown") throw notFound("There is no such code: it may be mistyped or older than an hour");
    if (paired === "full")
      throw new ApiError({ status: 409, code: "too_many_pairings", message: "Too many people were let in already" });
    return c.json({ user_id: paired.account, name: paired.name }, 201);
  });

  api.openapi(listRoute, async (c) => {
    const [paired, pending] = await Promise.all([pairings.list(), pairings.pending()]);
    const instant = (at: number) => new Date(at).toISOString();
    return c.json(
      {
        data: paired.map(({ account, name, by, at }) => ({ user_id: account, name, by, at: instant(at) })),
        pending: pending.map(({ code, account, name, expiresAt }) => ({
          code,
          user_id: account,
          name,
          expires_at: instant(expiresAt),
        })),
      },
      200,
    );
  });

  api.openapi(removeRoute, async (c) => {
    const { user_id: user } = c.req.valid("param");
    if (!(await pairings.remove(parseWorkspaceId(user)))) throw notFound(`${JSON.stringify(user)} was not let in`);
    return c.body(null, 204);
  });
}
