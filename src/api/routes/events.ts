import { createRoute, z } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import type { Door } from "../../agent/door-contract.ts";
import type { Log } from "../../kernel/ports.ts";
import type { ApiKeyStore } from "../../store/api-keys.ts";
import { requireMayWatch } from "../access.ts";
import { requires } from "../auth.ts";
import { conversationParamsSchema } from "../contract.ts";
import { failures } from "../describe-route.ts";
import { ApiError } from "../errors.ts";
import type { LinkSigner } from "../../store/artifact-links.ts";
import type { LiveFeed } from "../live-feed.ts";
import type { Api, ApiEnv, ApiLimits } from "../parts.ts";
import { streamEvents } from "../sse.ts";

const eventsRoute = createRoute({
  method: "get",
  path: "/v1/conversations/{id}/events",
  summary: "What happens in a conversation, as server-sent events",
  description:
    "Events are named by their `type` and carry JSON. Only `delivery` events have an id, the delivery's: send it as " +
    "`Last-Event-ID` to get what was said since. All others are hints that are not repeated.",
  middleware: requires("read"),
  request: { params: conversationParamsSchema },
  responses: {
    200: { description: "The stream.", content: { "text/event-stream": { schema: z.string() } } },
    ...failures(400, 401, 403, 404, 503),
  },
});

/** Adds the event streams of conversations. */
export function addEventRoutes(
  api: Api,
  parts: {
    readonly door: Door;
    readonly keys: Pick<ApiKeyStore, "verify">;
    readonly live: LiveFeed;
    readonly fileLinks: LinkSigner;
    readonly log: Log;
    readonly limits: Pick<ApiLimits, "maxStreams" | "heartbeatMs">;
  },
): void {
  const { door, keys, live, fileLinks, log, limits } = parts;
  let open = 0;

  api.openapi(eventsRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { caller, bearer } = c.var;
    await requireMayWatch(door, caller, id);
    // Nobody would read the stream, nor tell when to end it.
    if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" });
    // Without a server around it, as in `api.request`, there are no bindings.
    const bindings: ApiEnv["Bindings"] | undefined = c.env;
    if (open >= limits.maxStreams) throw tooMany(limits.maxStreams);
    open += 1;
    // A proxy that gathers output would hold events back.
    c.header("x-accel-buffering", "no");
    return streamSSE(c, async (stream) => {
      try {
        await streamEvents(stream, {
          conversation: id,
          lastEventId: c.req.header("last-event-id"),
          feed: live,
          links: fileLinks,
          transcript: (conversation) => door.transcript(conversation),
          stillAllowed: async () => bearer === "" || (await keys.verify(bearer)) !== undefined,
          heartbeatMs: limits.heartbeatMs,
          closing: bindings?.closing,
          log,
        });
      } finally {
        open -= 1;
      }
    });
  });
}

function tooMany(limit: number): ApiError {
  return new ApiError({
    status: 503,
    code: "too_many_streams",
    message: `This process has ${limit} event streams open already; try again later or read the conversation's messages`,
    headers: { "retry-after": "5" },
  });
}
