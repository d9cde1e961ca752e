import OpenAI from "openai";
import { InvalidInput, OutsideError, describeError } from "../kernel/errors.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import { finishReply } from "./assemble-reply.ts";
import { classify, classifyConnection, type ProviderFailure, type Verdict } from "./classify.ts";
import type { ModelClient, ModelReply, ModelRequest } from "./contract.ts";
import { startDeadlines, type Deadlines } from "./deadlines.ts";
import { readReply, ReportedError } from "./read-reply.ts";
import { createRedact, redactedCause, type Redact } from "./redact.ts";
import { wireRequest } from "./wire-request.ts";
import { openaiOptions } from "./openai-options.ts";

export interface ModelClientOptions {
  /** The OpenAI-compatible base; calls go to `POST {url}/chat/completions`. */
  readonly url: string;
  /** Sent as a bearer token; empty or absent for servers that want none. Never part of an error or a log line. */
  readonly apiKey?: string;
  readonly model: string;
  readonly temperature?: number;
  /** The longest answer, in tokens; the provider's own limit unless set. */
  readonly maxTokens?: number;
  /** Whether the model takes images; else it is told in words that there are some. */
  readonly vision?: boolean;
  /** Milliseconds a whole call may take. */
  readonly timeoutMs: number;
  /** Milliseconds until the first byte of the reply; three quarters of `timeoutMs` unless told otherwise. */
  readonly firstByteMs?: number;
  /** Milliseconds of silence allowed inside a reply; half of `timeoutMs` unless told otherwise. */
  readonly idleMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * A client for one OpenAI-compatible server. Throws `InvalidInput` for an unusable address or key. Each `ask` is one
 * attempt that ends within its deadlines: a checked reply, an `OutsideError`, or the reason the caller aborted with.
 */
export function createModelClient(options: ModelClientOptions): ModelClient {
  const { log, clock } = options;
  const address = parseAddress(options.url);
  const apiKey = parseKey(options.apiKey);
  const redact = createRedact([apiKey]);
  const server = `${address.origin}${redact(address.pathname.replace(/\/$/, ""))}`;
  const http = createHttp(options, address, apiKey);

  async function attempt(request: ModelRequest, deadlines: Deadlines, place: string): Promise<ModelReply> {
    const model = request.model ?? options.model;
    const wire = wireRequest(request, { ...options, model });
    deadlines.waitFor(options.firstByteMs ?? options.timeoutMs * 0.75, "sent nothing");
    const response = await http.chat.completions
      .create(wire.body, {
        signal: AbortSignal.any([request.signal, deadlines.signal]),
        headers: { "X-Parley-Purpose": request.purpose, "X-Parley-Run": headerValue(request.runId) },
      })
      .asResponse();
    const draft = await readReply(response.body, {
      place,
      deadlines,
      idleMs: options.idleMs ?? options.timeoutMs * 0.5,
      onText: (delta) => request.onText?.(delta),
    });
    return finishReply(draft, { request, model, toolName: wire.toolName, place });
  }

  return {
    async ask(request) {
      request.signal.throwIfAborted();
      const started = clock.monotonic();
      const model = request.model ?? options.model;
      const place = `the model ${model} at ${server}`;
      const about = { runId: request.runId, purpose: request.purpose, model };
      const deadlines = startDeadlines(options.timeoutMs);
      try {
        const reply = await attempt(request, deadlines, place);
        log.debug({ ...about, ms: elapsed(clock, started), ...reply.usage }, "the model answered");
        return reply;
      } catch (error) {
        request.signal.throwIfAborted();
        const failure = toOutsideError(error, { place, deadlines, redact, now: clock.now() });
        log.warn(
          { ...about, ms: elapsed(clock, started), code: failure.code, retry: failure.retry, reason: failure.message },
          "the model did not answer",
        );
        throw failure;
      } finally {
        deadlines.stop();
      }
    },
  };
}

interface FailureContext {
  readonly place: string;
  readonly deadlines: Deadlines;
  readonly redact: Redact;
  readonly now: number;
}

/** Everything that can go wrong as the one error callers know, with every word of the provider redacted. */
function toOutsideError(error: unknown, context: FailureContext): OutsideError {
  const { place, redact } = context;
  const make = (message: string, verdict: Verdict, cause: unknown) =>
    new OutsideError(message.charAt(0).toUpperCase() + message.slice(1), {
      code: verdict.code,
      retry: verdict.retry,
      cause: cause === undefined ? undefined : redactedCause(cause, redact),
    });

  if (error instanceof OutsideError) return make(error.message, error, error.cause);
  const late = context.deadlines.passed();
  if (late !== undefined) return make(`${place} ${late}`, { code: "timeout", retry: { kind: "after" } }, error);
  const refusal = asRefusal(error);
  if (refusal !== undefined) {
    const said = redact(words(refusal.body)).slice(0, 500);
    return make(
      `${place} answered ${refusal.status ?? "with an error"}: ${said}`,
      classify(refusal, context.now),
      error,
    );
  }
  const said = redact(deepestMessage(error));
  if (error instanceof OpenAI.APIConnectionError)
    return make(`${place} could not be reached: ${said}`, classifyConnection(error), error);
  return make(`${place} could not be asked: ${said}`, { code: "failed", retry: { kind: "never" } }, error);
}

/** What the provider said no with, whether as a status or inside a reply. */
function asRefusal(error: unknown): ProviderFailure | undefined {
  if (error instanceof ReportedError) return { body: error.body };
  if (!(error instanceof OpenAI.APIError)) return undefined;
  const known: { readonly status: unknown; readonly headers: unknown; readonly error: unknown } = error;
  if (typeof known.status !== "number") return undefined;
  const body = known.error ?? error.message;
  return { status: known.status, body, ...(isHeaders(known.headers) ? { headers: known.headers } : {}) };
}

/** By its shape, because another fetch brings a Headers class of its own. */
function isHeaders(value: unknown): value is Pick<Headers, "get"> {
  return typeof value === "object" && value !== null && "get" in value && typeof value.get === "function";
}

/** The provider's own sentence, or whatever else it sent. */
function words(body: unknown): string {
  if (typeof body === "object" && body !== null && "message" in body && typeof body.message === "string")
    return body.message;
  return typeof body === "string" ? body : (JSON.stringify(body) ?? "nothing");
}

/** The innermost cause: a failed connection says "Connection error" outside and the reason inside. */
function deepestMessage(error: unknown): string {
  let deepest = error;
  for (let depth = 0; depth < 5 && deepest instanceof Error && deepest.cause instanceof Error; depth += 1)
    deepest = deepest.cause;
  return describeError(deepest);
}

function createHttp(options: ModelClientOptions, address: URL, apiKey: string): OpenAI {
  return new OpenAI({
    ...openaiOptions(address.href, apiKey),
    // Deadlines are ours; this one must only never be the first to pass.
    timeout: Math.ceil(options.timeoutMs) + 10_000,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
}

function parseAddress(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address === undefined || !/^https?:$/.test(address.protocol))
    throw new InvalidInput("The model's address (AI_URL) is not an http or https URL");
  // fetch refuses these with a message that quotes them.
  if (address.username !== "" || address.password !== "")
    throw new InvalidInput("The model's address (AI_URL) must not contain a user name or password");
  return address;
}

function parseKey(key: string | undefined): string {
  const trimmed = (key ?? "").trim();
  // fetch would refuse such a header with a message that quotes the key.
  if (!/^[\x21-\x7e]*$/.test(trimmed))
    throw new InvalidInput(
      "The model's key (AI_API_KEY) contains a character that no key has, such as a space or a line break",
    );
  return trimmed;
}

/** Run ids may hold any letter; header values may not. */
function headerValue(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}

function elapsed(clock: Clock, started: number): number {
  return Math.round(clock.monotonic() - started);
}
