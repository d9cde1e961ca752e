import type { MiddlewareHandler } from "hono";
import { isLoopback } from "../config/public-bind.ts";
import type { ApiKeyScope } from "../store/api-keys.ts";
import { ApiError, forbidden } from "./errors.ts";
import type { ApiEnv, ApiParts, Caller } from "./parts.ts";

/**
 * Finds out who asks. A key is needed when the configuration holds one, when any is stored, or when others than this
 * machine can reach the server; else everyone on this machine may do everything.
 */
export function authenticate(parts: Pick<ApiParts, "keys" | "config" | "links">): MiddlewareHandler<ApiEnv> {
  const { keys, config, links } = parts;
  const keyNeeded = async () => config.hasAdminKey || !isLoopback(config.host) || (await keys.list()).length > 0;

  return async (c, next) => {
    const header = c.req.header("authorization");
    if (header === undefined) {
      if (await keyNeeded()) throw unauthorized("This needs an API key, as the header Authorization: Bearer <key>");
      c.set("caller", EVERYONE);
      c.set("bearer", "");
    } else {
      const bearer = parseBearer(header);
      const key = bearer === undefined ? undefined : await keys.verify(bearer);
      if (bearer === undefined || key === undefined) throw unauthorized("The API key is not known here");
      const workspace = key.userId === undefined ? undefined : await links.resolve(key.userId);
      c.set("caller", workspace === undefined || workspace === key.userId ? key : { ...key, linkedTo: workspace });
      c.set("bearer", bearer);
    }
    await next();
  };
}

/** Lets through callers whose scopes include this one. */
export function requires(scope: ApiKeyScope): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (!hasScope(c.var.caller, scope)) throw forbidden(`This needs an API key with the scope ${scope}`);
    await next();
  };
}

/** Lets through callers who may administer the installation: a key bound to a person may not, whatever its scopes. */
export function requiresAdmin(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { caller } = c.var;
    if (!hasScope(caller, "admin") || caller.userId !== undefined)
      throw forbidden("This needs an API key with the scope admin that is not bound to a person");
    await next();
  };
}

const EVERYONE: Caller = { id: "everyone", scopes: ["admin"] };

const GRANTED_BY: Readonly<Record<ApiKeyScope, readonly ApiKeyScope[]>> = {
  admin: ["admin"],
  chat: ["admin", "chat"],
  read: ["admin", "chat", "read"],
};

/** Whether a caller's scopes include this one. */
export function hasScope(caller: Caller, scope: ApiKeyScope): boolean {
  return caller.scopes.some((own) => GRANTED_BY[scope].includes(own));
}

function unauthorized(message: string): ApiError {
  return new ApiError({ status: 401, code: "unauthorized", message, headers: { "www-authenticate": "Bearer" } });
}

function parseBearer(header: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header)?.[1];
}
