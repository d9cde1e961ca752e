import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { isLoopback } from "../config/public-bind.ts";
import { createIdempotencyStore } from "../store/idempotency.ts";
import { createMessageLocator } from "../store/message-locator.ts";
import { authenticate } from "./auth.ts";
import { readBody } from "./body.ts";
import { ApiError, invalidRequest, notFound, toFailure, type Failure } from "./errors.ts";
import { guardSource } from "./guard.ts";
import { idempotency } from "./idempotency.ts";
import type { Api, ApiEnv, ApiLimits, ApiParts } from "./parts.ts";
import { serveWebhooks } from "./webhooks.ts";
import { addApprovalRoutes } from "./routes/approvals.ts";
import { addArtifactLinkRoute, addArtifactRoutes } from "./routes/artifacts.ts";
import { addConversationRoutes } from "./routes/conversations.ts";
import { addCredentialRoutes } from "./routes/credentials.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addKeyRoutes } from "./routes/keys.ts";
import { addMessageRoutes } from "./routes/messages.ts";
import { addPairingRoutes } from "./routes/pairings.ts";
import { addPrivacyRoutes } from "./routes/privacy.ts";
import { addRunRoutes } from "./routes/runs.ts";
import { addScheduleRoutes } from "./routes/schedules.ts";
import { addSystemRoutes } from "./routes/system.ts";
import { addTicketRoutes } from "./routes/tickets.ts";
import { addToolRoutes } from "./routes/tools.ts";
import { addWorkspaceRoutes } from "./routes/workspaces.ts";

/** Builds the REST API. It holds nothing open by itself: serve it with `listen`, or ask it with `api.request`. */
export function createApi(parts: ApiParts): Api {
  const { door, keys, redis, log, clock, newId, page, config } = parts;
  const limits: ApiLimits = { ...DEFAULT_LIMITS, ...parts.limits };
  const api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });

  // The first has the last word on the headers.
  api.use(sandboxDownloads());
  api.use(secureHeaders(SECURITY_HEADERS));
  api.use(async (c, next) => {
    const began = clock.monotonic();
    await next();
    const ms = Math.round(clock.monotonic() - began);
    log.debug({ method: c.req.method, path: c.req.path, status: c.res.status, ms }, "Request");
  });
  api.use(serveWebhooks(parts.webhooks ?? []));
  api.use(guardSource(isLoopback(config.host)));
  const known = authenticate({ keys, config, links: parts.links });
  api.use("/metrics", known);
  api.use("/openapi.json", known);
  addArtifactLinkRoute(api, parts);
  api.use("/v1/*", noStore(), known, readBody(bodyLimits(parts)));
  api.use("/v1/*", idempotency({ store: createIdempotencyStore(redis, { newId }), newId, log }));

  const locator = createMessageLocator(redis);
  addMessageRoutes(api, { ...parts, locator });
  addConversationRoutes(api, parts);
  addApprovalRoutes(api, parts);
  addEventRoutes(api, { ...parts, limits });
  addRunRoutes(api, { door });
  addKeyRoutes(api, { keys });
  addScheduleRoutes(api, { schedules: parts.schedules, door, locator });
  addToolRoutes(api, parts);
  addPairingRoutes(api, parts);
  addWorkspaceRoutes(api, parts);
  addArtifactRoutes(api, parts);
  addPrivacyRoutes(api, parts);
  addCredentialRoutes(api, parts);
  addTicketRoutes(api, parts);
  addSystemRoutes(api, { ...parts, limits });
  refuseOtherMethods(api);

  api.notFound(async (c) => {
    const found = isPageRequest(c.req.method, c.req.path) ? await page?.(c.req.raw) : undefined;
    return found ?? showFailure(c, notFound(`There is nothing at ${c.req.path}`));
  });
  api.onError((error, c) => {
    const failure = toFailure(error);
    if (failure !== undefined) return showFailure(c, failure);
    const id = `err_${newId()}`;
    log.error({ error, id, method: c.req.method, path: c.req.path }, "A request failed unexpectedly");
    return showFailure(c, {
      status: 500,
      code: "internal",
      message: `Something went wrong here; the log says what under ${id}`,
    });
  });
  return api;
}

/** Only a message may be long: its files are in it. */
function bodyLimits({ attachments }: ApiParts) {
  return (method: string, path: string): number =>
    method === "POST" && path === "/v1/messages" ? attachments.maxRequestBytes() : MAX_BODY_BYTES;
}

const MAX_BODY_BYTES = 1024 * 1024;

const DEFAULT_LIMITS: ApiLimits = { maxStreams: 500, heartbeatMs: 15_000, readyMs: 2_000 };

// The page and its files come from here and nowhere else, and no other page may frame it.
const SECURITY_HEADERS = {
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: "DENY",
  // Whether the address is reached over https is for the proxy in front to say.
  strictTransportSecurity: false,
};

/** A file somebody made is kept, not opened; a browser that opens it all the same runs nothing of it. */
function sandboxDownloads() {
  return async (c: Context<ApiEnv>, next: () => Promise<void>) => {
    await next();
    if (c.res.headers.get("content-disposition")?.startsWith("attachment") === true)
      c.res.headers.set("content-security-policy", "default-src 'none'; sandbox");
  };
}

function noStore() {
  return async (c: Context<ApiEnv>, next: () => Promise<void>) => {
    await next();
    c.res.headers.set("cache-control", "no-store");
  };
}

function refuseOtherMethods(api: Api): void {
  const allowed = new Map<string, Set<string>>();
  for (const { method, path } of api.routes) {
    if (method === "ALL") continue;
    const methods = allowed.get(path) ?? new Set();
    allowed.set(path, methods.add(method));
  }
  for (const [path, methods] of allowed) {
    const list = [...methods, ...(methods.has("GET") ? ["HEAD"] : [])].join(", ");
    api.all(path, () => {
      const message = `Only ${list} can be used here`;
      throw new ApiError({ status: 405, code: "method_not_allowed", message, headers: { allow: list } });
    });
  }
}

function isPageRequest(method: string, path: string): boolean {
  return (method === "GET" || method === "HEAD") && !path.startsWith("/v1/");
}

function showFailure(c: Context<ApiEnv>, { status, code, message, headers, choices }: Failure): Response {
  return c.json({ error: { code, message, ...(choices === undefined ? {} : { choices }) } }, status, { ...headers });
}
