import { setTimeout as delay } from "node:timers/promises";
import { createRoute, z } from "@hono/zod-openapi";
import { describeError } from "../../kernel/errors.ts";
import { VERSION } from "../../kernel/version.ts";
import { requires } from "../auth.ts";
import { healthSchema, notReadySchema, readySchema } from "../contract.ts";
import { failures, json } from "../describe-route.ts";
import type { Api, ApiLimits, ApiParts } from "../parts.ts";

const healthRoute = createRoute({
  method: "get",
  path: "/healthz",
  summary: "Whether the process answers",
  security: [],
  responses: { 200: json("It does.", healthSchema) },
});

const readyRoute = createRoute({
  method: "get",
  path: "/readyz",
  summary: "Whether the process can work",
  security: [],
  responses: { 200: json("It can.", readySchema), 503: json("It cannot; the checks say why.", notReadySchema) },
});

const metricsRoute = createRoute({
  method: "get",
  path: "/metrics",
  summary: "Numbers for Prometheus",
  middleware: requires("read"),
  responses: {
    200: { description: "Prometheus' text format.", content: { "text/plain": { schema: z.string() } } },
    ...failures(401, 403),
  },
});

/** Adds health, readiness, metrics, and the description of all routes there are. */
export function addSystemRoutes(
  api: Api,
  parts: Pick<ApiParts, "ready" | "notes" | "metrics"> & { readonly limits: Pick<ApiLimits, "readyMs"> },
): void {
  const { ready, notes, metrics, limits } = parts;

  api.openapi(healthRoute, (c) => c.json({ status: "ok" as const }, 200));

  api.openapi(readyRoute, async (c) => {
    const results = await checkWithin(ready, limits.readyMs);
    const problems = Object.entries(results).filter(([, result]) => result !== true);
    const checks = {
      ...notes?.(),
      ...Object.fromEntries(Object.entries(results).map(([name, result]) => [name, result === true ? "ok" : result])),
    };
    if (problems.length === 0) return c.json({ status: "ready" as const, checks }, 200);
    const message = problems.map(([name, problem]) => `${name}: ${problem}`).join("; ");
    return c.json({ error: { code: "not_ready", message }, checks }, 503);
  });

  api.openapi(metricsRoute, async (c) => {
    return c.text(await metrics.text(), 200, { "content-type": metrics.contentType });
  });

  let description: object | undefined;
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  api.get("/openapi.json", requires("read"), (c) => {
    description ??= api.getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: "Parley", version: VERSION, description: DESCRIPTION },
      security: [{ bearer: [] }],
    });
    return c.json(description);
  });
}

const DESCRIPTION =
  'Failures are {"error": {"code", "message"}}. Lists are {data, has_more, next_cursor}. Every POST may carry an ' +
  "Idempotency-Key: for 24 hours a repetition gets the first answer. Unknown fields are refused.";

// A Redis that hangs must not make the question hang.
async function checkWithin(ready: ApiParts["ready"], ms: number): Promise<Readonly<Record<string, true | string>>> {
  const late = new AbortController();
  try {
    return await Promise.race([ready(), delay(ms, { checks: `no answer within ${ms} ms` }, { signal: late.signal })]);
  } catch (error) {
    return { checks: describeError(error) };
  } finally {
    late.abort();
  }
}
