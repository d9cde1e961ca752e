import { z } from "zod";
import { describeError, OutsideError, type OutsideCode } from "../kernel/errors.ts";
import type { Secret } from "../kernel/secret.ts";
import { parseJson } from "../kernel/json.ts";

/** A request to the bot's API. */
export interface BotRequest {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Begins with a slash. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The API of one bot. Every method throws `OutsideError` and nothing else, unless the caller's own signal aborts. */
export interface BotClient {
  readonly url: string;
  /** The answer to a request that succeeded; `retry` of the error says whether the same request may succeed later. */
  ask<T>(request: BotRequest, answer: z.ZodType<T>): Promise<T>;
  /** As `ask`, for requests whose answer says nothing. */
  tell(request: BotRequest): Promise<void>;
  /** The answer as it comes, whatever its status; without a deadline unless the signal sets one. */
  open(request: BotRequest): Promise<Response>;
}

/** Builds a client. The key is sent as a bearer token; redirects are not followed with it. */
export function createBotClient(parts: {
  readonly url: string;
  readonly key: Secret | undefined;
  readonly fetch: typeof fetch;
  readonly timeoutMs?: number;
}): BotClient {
  const { url, key, timeoutMs = 15_000 } = parts;

  async function open(request: BotRequest): Promise<Response> {
    const { method = "GET", path, body, headers, signal } = request;
    try {
      return await parts.fetch(`${url}${path}`, {
        method,
        redirect: "manual",
        headers: {
          ...headers,
          ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      throw unreachable(url, cause);
    }
  }

  async function send(request: BotRequest): Promise<{ status: number; text: string }> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const { signal } = request;
    const response = await open({
      ...request,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    if (!response.ok) throw await failureOf(response, url);
    try {
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      throw unreachable(url, cause);
    }
  }

  return {
    url,
    open,
    async ask(request, answer) {
      const { text } = await send(request);
      const parsed = answer.safeParse(parseJson(text));
      if (parsed.success) return parsed.data;
      throw new OutsideError(`What answers at ${url} is not Parley, or another version of it`, {
        code: "garbled",
        cause: parsed.error,
      });
    },
    async tell(request) {
      await send(request);
    },
  };
}

/** The failure that a refused request stands for, in the words of the bot where it gave some. */
export async function failureOf(response: Response, url: string): Promise<OutsideError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  const body = failureSchema.safeParse(parseJson(text)).data;
  const said =
    body === undefined
      ? `${url} answered with HTTP ${status}`
      : [body.error.message, ...(body.error.choices ?? []).map((choice) => `  - ${choice}`)].join("\n");
  const code = body?.error.code === "conversation_full" ? "overloaded" : (CODES[status] ?? "refused");
  if (code === "unauthorized") return new OutsideError(`${said}. ${NEEDS_KEY}`, { code });
  const retries = status >= 500 || status === 429 || body?.error.code === "idempotency_in_progress";
  if (!retries) return new OutsideError(said, { code });
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retry = { kind: "after", ...(Number.isFinite(seconds) ? { ms: seconds * 1000 } : {}) } as const;
  return new OutsideError(said, { code: status >= 500 ? "unavailable" : code, retry });
}

const failureSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), choices: z.array(z.string()).optional() }),
});

const CODES: Readonly<Record<number, OutsideCode>> = {
  400: "bad-request",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  413: "too-large",
  429: "rate-limited",
};

const NEEDS_KEY = "Set PARLEY_API_KEY to a key of this bot";

function unreachable(url: string, cause: unknown): OutsideError {
  if (cause instanceof OutsideError) return cause;
  const timedOut = cause instanceof Error && cause.name === "TimeoutError";
  return new OutsideError(
    timedOut ? `${url} did not answer in time` : `${url} cannot be reached (${reasonOf(cause)})`,
    {
      code: timedOut ? "timeout" : "unavailable",
      retry: { kind: "after" },
      cause,
    },
  );
}

// `fetch` only says that it failed; why is in the cause, and for a name with several addresses one level deeper.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return describeError(error);
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return WORDS[code ?? ""] ?? code ?? describeError(error);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
};
