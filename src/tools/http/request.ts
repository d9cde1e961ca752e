import { createHash } from "node:crypto";
import { InvalidInput } from "../../kernel/errors.ts";
import { placeOf } from "./endpoint.ts";
import type { Capability } from "./schema.ts";

/** A request ready to be sent. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const MAX_URL_CHARS = 8_192;

/**
 * Puts checked arguments where the service expects them. Throws `InvalidInput` for a value that would change which
 * address is reached or that a header cannot hold.
 */
export function buildRequest(
  baseUrl: string,
  capability: Capability,
  args: Readonly<Record<string, unknown>>,
): HttpRequest {
  const { method, fixed } = capability;
  const given = sortOut(capability, args);
  const url = new URL(baseUrl.replace(/\/$/, "") + fillPath(capability.path, args));
  for (const [name, value] of [...Object.entries(fixed.query), ...given.query])
    for (const text of textsOf(value)) url.searchParams.append(name, text);
  if (url.href.length > MAX_URL_CHARS)
    throw new InvalidInput(`The arguments make an address of more than ${MAX_URL_CHARS} characters; shorten them`);
  const headers = Object.fromEntries(given.header.map(([name, value]) => [name, headerText(name, value)]));
  const body = [...Object.entries(fixed.body), ...given.body];
  if (method === "GET" || body.length === 0) return { method, url, headers };
  return { method, url, ...writeBody(capability.body, body, headers) };
}

/** `runId:step` as a header can hold it; the same key always gives the same text. */
export function idempotencyText(key: string): string {
  return /^[\x21-\x7E]{1,255}$/.test(key) ? key : createHash("sha256").update(key).digest("hex");
}

type Sent = readonly [name: string, value: unknown];

function sortOut(capability: Capability, args: Readonly<Record<string, unknown>>) {
  const sorted: Record<"path" | "query" | "header" | "body", Sent[]> = { path: [], query: [], header: [], body: [] };
  for (const [name, parameter] of Object.entries(capability.parameters)) {
    if (args[name] !== undefined)
      sorted[placeOf(name, parameter, capability)].push([parameter.send_as ?? name, args[name]]);
  }
  return sorted;
}

function fillPath(path: string, args: Readonly<Record<string, unknown>>): string {
  const filled = path.replaceAll(/\{([^{}]*)\}/g, (_whole, name: string) => {
    const text = plainText(args[name]);
    // An empty part makes another address of it: "/users/" is often all users.
    if (text === "") throw new InvalidInput(`"${name}" must not be empty: it is part of the address`);
    return encodeURIComponent(text.toWellFormed());
  });
  // "." and ".." pass the encoding and would be resolved away.
  if (new URL(`http://x${filled}`).pathname !== filled)
    throw new InvalidInput(`The arguments cannot be part of an address: ${placesOf(path)}`);
  return filled;
}

function placesOf(path: string): string {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => `"${name}"`).join(", ");
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(plainText) : [plainText(value)];
}

function plainText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function headerText(name: string, value: unknown): string {
  const text = plainText(value);
  if (!/^[\t\x20-\x7E\x80-\xFF]*$/.test(text))
    throw new InvalidInput(`"${name}" is sent as a header and holds a character that none can hold`);
  return text;
}

function writeBody(kind: Capability["body"], body: readonly Sent[], headers: HttpRequest["headers"]) {
  if (kind === "json") {
    const text = JSON.stringify(Object.fromEntries(body));
    return { headers: { ...headers, "content-type": "application/json" }, body: text };
  }
  const form = new URLSearchParams();
  for (const [name, value] of body) for (const text of textsOf(value)) form.append(name, text);
  return { headers: { ...headers, "content-type": "application/x-www-form-urlencoded" }, body: form.toString() };
}
