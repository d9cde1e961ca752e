import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Webhook } from "../platforms/listening.ts";
import type { Api, ApiEnv } from "./parts.ts";

/** No platform sends longer events. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** A server of nothing but webhooks, for a process that listens to platforms and has no API. */
export function createWebhookServer(webhooks: readonly Webhook[]): Pick<Api, "fetch"> {
  const server = new Hono<ApiEnv>();
  server.use(serveWebhooks(webhooks));
  server.get("/healthz", (c) => c.json({ status: "ok" }));
  server.notFound((c) => c.json({ error: { code: "not_found", message: `There is nothing at ${c.req.path}` } }, 404));
  return server;
}

/**
 * What chat platforms call. They prove who they are by a signature or a secret of their own, so neither keys nor the
 * rules for browsers apply; anything but a POST is left to the routes behind.
 */
export function serveWebhooks(webhooks: readonly Webhook[]): MiddlewareHandler<ApiEnv> {
  const limit = bodyLimit({
    maxSize: MAX_EVENT_BYTES,
    onError: (c) => c.json({ error: { code: "too_large", message: `At most ${MAX_EVENT_BYTES} bytes` } }, 413),
  });
  return async (c, next) => {
    const webhook = c.req.method === "POST" ? webhooks.find(({ path }) => path === c.req.path) : undefined;
    if (webhook === undefined) return next();
    const refused = await limit(c, async () => {
      c.res = await webhook.handle(c.req.raw);
    });
    return refused instanceof Response ? refused : undefined;
  };
}
