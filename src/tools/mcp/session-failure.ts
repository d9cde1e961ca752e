import {
  InsufficientScopeError,
  INVALID_PARAMS,
  OAuthClientFlowError,
  OAuthError,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import { OutsideError } from "../../kernel/errors.ts";
import { SessionFailure } from "./session.ts";

/** The code of an answer that stands for one that never came; see `createHttpTransport`. */
export const CUT_OFF = -32_098;

const MAX_MESSAGE_CHARS = 1_000;

/**
 * Says what a failure of the client library means; `ended` is why the connection ended, when it did. What the address
 * guard refused is passed on as it is.
 */
export function toSessionFailure(error: unknown, ended?: string): SessionFailure | OutsideError {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner instanceof SessionFailure || inner instanceof OutsideError) return inner;
    if (inner instanceof ProtocolError) return ofAnswer(inner);
    if (inner instanceof SdkHttpError) return ofStatus(inner);
    if (inner instanceof UnauthorizedError || inner instanceof OAuthError) return unauthorized(inner);
    if (inner instanceof OAuthClientFlowError) return ofSignIn(inner);
    if (inner instanceof SdkError) return ofClient(inner, ended);
  }
  return ofNetwork(error);
}

/** The connection ended while something was asked. */
export function lost(message: string, cause?: unknown): SessionFailure {
  return new SessionFailure(message, { code: "unavailable", outcome: "unknown", passing: true, gone: true, cause });
}

function ofAnswer(error: ProtocolError): SessionFailure {
  if (error.code === CUT_OFF) return lost("it broke off its answer", error);
  const words = error.message.replace(/^MCP error -?\d+: /, "").slice(0, MAX_MESSAGE_CHARS);
  const code = error.code === INVALID_PARAMS ? "bad-request" : "failed";
  return new SessionFailure(`it refused: ${words}`, { code, outcome: "done", cause: error });
}

function ofStatus(error: SdkHttpError): SessionFailure {
  const { status } = error;
  const facts = { cause: error, outcome: "not-done" } as const;
  if (status === 401) return unauthorized(error);
  if (status === 403) return new SessionFailure("it denies access (HTTP 403)", { ...facts, code: "forbidden" });
  if (status === 429)
    return new SessionFailure("it is asked too often", { ...facts, code: "rate-limited", passing: true });
  if (status === 503) return new SessionFailure("it is overloaded", { ...facts, code: "overloaded", passing: true });
  // What a server says to a session it does not know, for instance after its restart.
  if (status === 404 || status === 400)
    return new SessionFailure(`there is no such MCP session or address (HTTP ${status})`, {
      ...facts,
      code: "not-found",
      gone: true,
    });
  if (status !== undefined && status >= 300 && status < 400)
    return new SessionFailure("it sends us to another address", { ...facts, code: "refused" });
  if (status === undefined || status >= 500)
    return new SessionFailure(`it failed (HTTP ${status})`, {
      cause: error,
      code: "unavailable",
      outcome: "unknown",
      passing: true,
    });
  return new SessionFailure(`it refused the request (HTTP ${status})`, { ...facts, code: "bad-request" });
}

function unauthorized(error: Error): SessionFailure {
  return new SessionFailure("it wants a sign-in", { code: "unauthorized", outcome: "not-done", cause: error });
}

function ofSignIn(error: OAuthClientFlowError): SessionFailure {
  const facts = { outcome: "not-done", cause: error } as const;
  if (error instanceof InsufficientScopeError)
    return new SessionFailure("it wants more rights than the sign-in gave", { ...facts, code: "forbidden" });
  return new SessionFailure(`signing in to it is refused: ${error.message.slice(0, MAX_MESSAGE_CHARS)}`, {
    ...facts,
    code: "refused",
  });
}

function ofClient(error: SdkError, ended: string | undefined): SessionFailure {
  switch (error.code) {
    case SdkErrorCode.ConnectionClosed:
      return lost(ended ?? "it ended", error);
    case SdkErrorCode.RequestTimeout:
      return new SessionFailure("it did not answer in time", {
        code: "timeout",
        outcome: "unknown",
        passing: true,
        cause: error,
      });
    case SdkErrorCode.NotConnected:
    case SdkErrorCode.SendFailed:
      return new SessionFailure("it is not connected", {
        code: "unavailable",
        outcome: "not-done",
        passing: true,
        gone: true,
        cause: error,
      });
    case SdkErrorCode.UnsupportedResultType:
    case SdkErrorCode.InputRequiredRoundsExceeded:
    case SdkErrorCode.CapabilityNotSupported:
      return new SessionFailure("it asks for something that cannot be given here", {
        code: "refused",
        outcome: "not-done",
        cause: error,
      });
    default:
      return new SessionFailure("its answer cannot be understood", { code: "garbled", outcome: "done", cause: error });
  }
}

const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function ofNetwork(error: unknown): SessionFailure {
  const code = networkCode(error);
  if (code !== undefined && NOT_SENT.has(code))
    return new SessionFailure(`it cannot be reached (${code})`, {
      code: "unavailable",
      outcome: "not-done",
      passing: true,
      gone: true,
      cause: error,
    });
  if (error instanceof Error && (error.name === "SyntaxError" || error.name === "ZodError"))
    return new SessionFailure("its answer is not MCP", { code: "garbled", outcome: "unknown", cause: error });
  return lost(`the connection to it failed${code === undefined ? "" : ` (${code})`}`, error);
}

function networkCode(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause)
    if ("code" in inner && typeof inner.code === "string") return inner.code;
  return undefined;
}
