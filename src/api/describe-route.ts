import { z } from "zod";
import { errorSchema } from "./contract.ts";

/** A JSON response for a route's description. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

/** A file as it is, for a route's description. */
export function fileContent(description: string) {
  return { description, content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } } };
}

/** A JSON request body for a route's description. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

/** The failures a route is likely to answer with, for its description. */
export function failures<Status extends keyof typeof MEANINGS>(...statuses: readonly Status[]) {
  const described = statuses.map((status) => [status, json(MEANINGS[status], errorSchema)] as const);
  return Object.fromEntries(described) as { [S in Status]: ReturnType<typeof json<typeof errorSchema>> };
}

const MEANINGS = {
  400: "The request does not fit; the message names what and where.",
  401: "An API key is needed, or the presented one is not known.",
  403: "The API key may not do this.",
  404: "There is no such thing.",
  409: "It contradicts what happened before; see the code.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  422: "The Idempotency-Key was used for another request.",
  429: "Too many messages wait already.",
  503: "Not now; try again.",
} as const;
