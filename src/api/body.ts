import type { Context, MiddlewareHandler } from "hono";
import { ApiError, UNSUPPORTED_MEDIA_TYPE } from "./errors.ts";
import { findJsonFault } from "./json-fault.ts";
import type { ApiEnv } from "./parts.ts";

/**
 * Reads the body of a request, at most as many bytes as `limitOf` says, and refuses what is not JSON in UTF-8. Leaves
 * the bytes in `c.var.body`; routes read the JSON as usual.
 */
export function readBody(limitOf: (method: string, path: string) => number): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const bytes = WITHOUT_BODY.has(c.req.method) ? NOTHING : await readBytes(c, limitOf(c.req.method, c.req.path));
    if (bytes.byteLength > 0) checkJson(bytes, c.req.header("content-type"));
    c.set("body", bytes);
    await next();
  };
}

/** Refuses a body with fields in it, for routes that take none: its sender believes that they count. */
export function takesNoFields(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { body } = c.var;
    if (body.byteLength > 0) {
      const value: unknown = JSON.parse(new TextDecoder().decode(body));
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw new ApiError({ status: 400, code: "invalid_request", message: "the body: must be an object" });
      const [field] = Object.keys(value);
      if (field !== undefined)
        throw new ApiError({ status: 400, code: "invalid_request", message: `${field}: is not a known field` });
    }
    await next();
  };
}

const WITHOUT_BODY = new Set(["GET", "HEAD"]);
const NOTHING = new Uint8Array();

async function readBytes(c: Context<ApiEnv>, most: number): Promise<Uint8Array> {
  try {
    return await readWithin(c, most);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    // Nobody is there any more to read this, but it is no fault of ours either.
    throw new ApiError({ status: 400, code: "invalid_request", message: "The body ended before it was complete" });
  }
}

async function readWithin(c: Context<ApiEnv>, most: number): Promise<Uint8Array> {
  const declared = Number(c.req.header("content-length") ?? Number.NaN);
  if (declared > most) throw tooLarge(most);
  if (!Number.isNaN(declared)) {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    if (bytes.byteLength > most) throw tooLarge(most);
    return bytes;
  }
  const stream = c.req.raw.body;
  if (stream === null) return NOTHING;
  const bytes = await readStream(stream, most);
  const { url, method, headers, signal } = c.req.raw;
  // The stream is used up; routes read the body from a request that holds it.
  c.req.raw = new Request(url, { method, headers, signal, ...(bytes.byteLength > 0 ? { body: bytes } : {}) });
  return bytes;
}

async function readStream(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(Buffer.concat(chunks));
    length += value.byteLength;
    // What is still to come is left to the server, which throws it away.
    if (length > most) throw tooLarge(most);
    chunks.push(value);
  }
}

function checkJson(bytes: Uint8Array, contentType: string | undefined): void {
  if (!isJsonType(contentType)) throw new ApiError(UNSUPPORTED_MEDIA_TYPE);
  const text = decode(bytes);
  const fault = findJsonFault(text);
  if (fault === undefined) return;
  const { line, column, found } = fault;
  throw new ApiError({
    status: 400,
    code: "invalid_json",
    message: `The body is not JSON: unexpected ${found} at line ${line}, column ${column}`,
  });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError({ status: 400, code: "invalid_utf8", message: "The body is not valid UTF-8" });
  }
}

function isJsonType(contentType: string | undefined): boolean {
  return contentType?.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

function tooLarge(most: number): ApiError {
  return new ApiError({
    status: 413,
    code: "payload_too_large",
    message: `The body is larger than ${most} bytes`,
  });
}
