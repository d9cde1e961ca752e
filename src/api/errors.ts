import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import { InvalidId } from "../kernel/ids.ts";

/** A failure as its caller sees it. */
export interface Failure {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What could be said instead, where the request had several meanings. */
  readonly choices?: readonly string[];
}

/** Ends a request with this failure. The message is shown as it is and must hold no secret. */
export class ApiError extends Error implements Failure {
  override readonly name = "ApiError";
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly choices?: readonly string[];

  constructor(failure: Failure) {
    super(failure.message);
    this.status = failure.status;
    this.code = failure.code;
    this.headers = failure.headers ?? {};
    if (failure.choices !== undefined) this.choices = failure.choices;
  }
}

/** There is no such thing, or the caller may not know of it: the two look alike. */
export function notFound(message: string): ApiError {
  return new ApiError({ status: 404, code: "not_found", message });
}

/** The caller is known and may not do this. */
export function forbidden(message: string): ApiError {
  return new ApiError({ status: 403, code: "forbidden", message });
}

/** Refuses input that a schema does not describe; names every field that does not fit. */
export function invalidRequest(error: z.ZodError): ApiError {
  return new ApiError({ status: 400, code: "invalid_request", message: describeIssues(error.issues).join("; ") });
}

/** The failure a thrown value stands for; undefined when nobody foresaw it and nothing of it may be shown. */
export function toFailure(error: unknown): Failure | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof InvalidInput)
    return { status: STATUS_OF_INPUT[error.code] ?? 400, code: error.code, message: error.message };
  if (error instanceof InvalidId) return { status: 400, code: "invalid_request", message: error.message };
  // The framework's own refusals of a body it was promised.
  if (error instanceof HTTPException && error.status === 415) return UNSUPPORTED_MEDIA_TYPE;
  if (error instanceof HTTPException && error.status === 400)
    return { status: 400, code: "invalid_json", message: "The request needs a JSON body" };
  if (error instanceof OutsideError && error.retry.kind === "after") {
    const seconds = Math.ceil((error.retry.ms ?? 1000) / 1000);
    return {
      status: 503,
      code: "unavailable",
      message: "Something this request needs is not available now; try again",
      headers: { "retry-after": String(seconds) },
    };
  }
  return undefined;
}

/** A body that is not JSON. */
export const UNSUPPORTED_MEDIA_TYPE: Failure = {
  status: 415,
  code: "unsupported_media_type",
  message: "A body must be JSON, with the header Content-Type: application/json",
};

const STATUS_OF_INPUT: Readonly<Record<string, ContentfulStatusCode>> = { conversation_full: 429 };

function describeIssues(issues: readonly z.core.$ZodIssue[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => `${showPath([...issue.path, key])}: is not a known field`);
    return [`${showPath(issue.path)}: ${describeIssue(issue)}`];
  });
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") {
    if (issue.message.endsWith("received undefined")) return "is required";
    if (issue.message.startsWith("Invalid input: ")) return `must be ${NOUNS[issue.expected] ?? issue.expected}`;
  }
  return issue.message.replace(/^(Invalid input|Invalid option|Too small|Too big|Invalid string): /, "");
}

const NOUNS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  array: "an array",
  object: "an object",
};

function showPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "the body";
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      return index === 0 ? String(part) : `.${String(part)}`;
    })
    .join("");
}
