/** What a caller may do about a failure; decided where the reply was read, so nobody parses messages later. */
export type Retry = { readonly kind: "never" } | { readonly kind: "after"; readonly ms?: number };

/** Short machine words for failures outside this process; part of the public error shape, pinned by a test. */
export type OutsideCode =
  | "rate-limited"
  | "overloaded"
  | "unavailable"
  | "timeout"
  | "quota-exhausted"
  | "budget-used-up"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "bad-request"
  | "too-large"
  | "context-too-long"
  | "refused"
  | "cut-short"
  | "empty-answer"
  | "garbled"
  | "failed";

/**
 * Something outside this process failed. `message` names the thing and never a secret; the original is `cause`.
 * `retry` says whether and when another try makes sense.
 */
export class OutsideError extends Error {
  override readonly name = "OutsideError";
  readonly code: OutsideCode;
  readonly retry: Retry;

  constructor(message: string, options: { code: OutsideCode; retry?: Retry; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.retry = options.retry ?? { kind: "never" };
  }
}

/** True when what was asked for may have happened all the same: no answer came, or none that says it did not. */
export function mayHaveHappened({ code }: OutsideError): boolean {
  return (
    code === "timeout" || code === "unavailable" || code === "garbled" || code === "failed" || code === "cut-short"
  );
}

/** The caller gave something unusable; `message` names what and where, and may be shown as it is. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput";
  readonly code: string;

  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = options.code ?? "invalid_request";
  }
}

/** One sentence about anything thrown, for logs and journals. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return typeof error === "string" ? error : "unknown failure";
}
