import { createHash } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { describeError } from "../kernel/errors.ts";
import type { Log, NewId } from "../kernel/ports.ts";
import type { Ended, IdempotencyStore } from "../store/idempotency.ts";
import { ApiError } from "./errors.ts";
import type { ApiEnv } from "./parts.ts";
import { seal, unseal } from "./sealed.ts";

/**
 * Answers a repeated POST with the same `Idempotency-Key` as the first time, for 24 hours. Only answers to requests that
 * did something (2xx) are kept: a refused request did nothing, and one that failed may be tried again under the same
 * `c.var.operation`, so that what it had done is not done twice.
 */
export function idempotency(parts: {
  readonly store: IdempotencyStore;
  readonly newId: NewId;
  readonly log: Log;
}): MiddlewareHandler<ApiEnv> {
  const { store, newId, log } = parts;
  return async (c, next) => {
    const key = c.req.method === "POST" ? parseKey(c.req.header("idempotency-key")) : undefined;
    if (key === undefined) {
      c.set("operation", newId());
      return next();
    }
    const name = nameOf(c, key);
    // Some answers hold secrets (a new API key), so Redis keeps them in a form that only this caller can read.
    const secret = `${c.var.bearer}\n${key}`;
    const begun = await store.begin(name, printOf(c));
    switch (begun.kind) {
      case "other":
        throw new ApiError({
          status: 422,
          code: "idempotency_key_reused",
          message: "This Idempotency-Key was used for another request; use a new one",
        });
      case "busy":
        throw new ApiError({
          status: 409,
          code: "idempotency_in_progress",
          message: "The first request with this Idempotency-Key is still being worked on; try again",
          headers: { "retry-after": "1" },
        });
      case "answered":
        return replay(unseal(begun.answer, secret));
      case "begun": {
        c.set("operation", begun.operation);
        await next();
        const ended = await endOf(c.res, secret);
        // The work is done: a record that cannot be written must not hide that from the caller. The lease runs out.
        await store.end(name, begun.token, ended).catch((error: unknown) => {
          log.warn({ error: describeError(error) }, "Could not record the answer to a request with an Idempotency-Key");
        });
      }
    }
  };
}

const recordedSchema = z.object({ status: z.number(), type: z.string().optional(), body: z.string() });

function parseKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  const message = "Idempotency-Key: must have 1 to 255 visible ASCII characters";
  throw new ApiError({ status: 400, code: "invalid_request", message });
}

// Two callers who choose the same key do not meet.
function nameOf(c: Context<ApiEnv>, key: string): string {
  return createHash("sha256").update(`${c.var.caller.id}\n${key}`).digest("hex");
}

function printOf(c: Context<ApiEnv>): string {
  const { pathname, search } = new URL(c.req.url);
  return createHash("sha256").update(`${c.req.method} ${pathname}${search}\n`).update(c.var.body).digest("hex");
}

async function endOf(response: Response, secret: string): Promise<Ended> {
  if (response.status >= 500) return { how: "failed" };
  if (response.status >= 400) return { how: "forget" };
  const recorded: z.input<typeof recordedSchema> = {
    status: response.status,
    type: response.headers.get("content-type") ?? undefined,
    body: await response.clone().text(),
  };
  return { how: "answered", answer: seal(JSON.stringify(recorded), secret) };
}

function replay(text: string): Response {
  const { status, type, body } = recordedSchema.parse(JSON.parse(text));
  return new Response(body === "" ? null : body, {
    status,
    headers: { "idempotency-replayed": "true", ...(type === undefined ? {} : { "content-type": type }) },
  });
}
