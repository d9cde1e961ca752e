import type { OutsideCode, Retry } from "../kernel/errors.ts";
import { parseRetryAfter } from "./retry-after.ts";

/** What is known of a provider's refusal. */
export interface ProviderFailure {
  /** Absent for an error inside a stream that had begun with 200. */
  readonly status?: number;
  /** The parsed JSON body, or the text when it was not JSON. */
  readonly body: unknown;
  readonly headers?: Pick<Headers, "get">;
}

export interface Verdict {
  readonly code: OutsideCode;
  readonly retry: Retry;
}

/**
 * Reads what a provider's error means, over the dialects of OpenAI, Azure, Anthropic, Gemini, Ollama, vLLM, OpenRouter
 * and their like. Pure: `now` only serves a `Retry-After` given as a date. Status 400 is never retried.
 */
export function classify(failure: ProviderFailure, now: number): Verdict {
  const facts = collectFacts(failure);
  const code = RULES.find((rule) => rule.when(facts))?.code ?? "failed";
  if (!RETRYABLE.has(code) || facts.status === 400) return { code, retry: { kind: "never" } };
  return { code, retry: after(parseRetryAfter(failure.headers, facts.text, now)) };
}

/** Reads why no reply came at all: the connection could not be made, broke, or stayed silent. Always worth another try. */
export function classifyConnection(error: unknown): Verdict {
  const timedOut = causeCodes(error).some((code) => TIMEOUT_CODES.has(code));
  return { code: timedOut ? "timeout" : "unavailable", retry: after() };
}

interface Facts {
  readonly status: number | undefined;
  /** Values of `code`, `type`, `status` and `reason` anywhere in the body, in lower case. */
  readonly words: ReadonlySet<string>;
  /** What the body says in prose, in lower case. */
  readonly text: string;
}

interface Rule {
  readonly code: OutsideCode;
  when(facts: Facts): boolean;
}

const RETRYABLE: ReadonlySet<OutsideCode> = new Set(["rate-limited", "overloaded", "unavailable", "timeout", "failed"]);

/** The first rule that fits decides, so the precise ones stand before the broad ones. */
const RULES: readonly Rule[] = [
  {
    code: "context-too-long",
    when: (f) =>
      has(f, "context_length_exceeded", "exceed_context_size_error", "model_context_window_exceeded") ||
      // One request above the whole per-minute allowance never fits, however long one waits; a shorter one does.
      /tokens must be reduced|request too large for (model )?[`\w]/.test(f.text) ||
      (f.status !== 429 && CONTEXT_WORDINGS.some((wording) => wording.test(f.text))),
  },
  {
    code: "quota-exhausted",
    when: (f) =>
      f.status === 402 ||
      has(
        f,
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "exceeded_current_quota_error",
      ) ||
      QUOTA_WORDINGS.test(f.text) ||
      // Gemini words a full minute and an empty account alike; only the name of the limit or a limit of 0 tells.
      (has(f, "resource_exhausted")
        ? /perday|limit: 0\b/.test(f.text)
        : /exceeded your current quota|check your plan and billing/.test(f.text)),
  },
  {
    code: "refused",
    when: (f) =>
      statusIn(f, 400, 403, 422, 451, undefined) &&
      (has(f, "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation_blocked") ||
        has(f, "data_inspection_failed") ||
        /content (management )?policy|flagged (by|for|as)|input was flagged|safety system|content_filter/.test(f.text)),
  },
  {
    code: "unauthorized",
    when: (f) =>
      f.status === 401 ||
      (statusIn(f, 400, 403, undefined) &&
        (has(f, "invalid_api_key", "authentication_error", "unauthenticated", "api_key_invalid") ||
          /(invalid|incorrect) api key|api key not (valid|found)/.test(f.text))),
  },
  {
    code: "not-found",
    when: (f) =>
      f.status === 404 ||
      has(f, "model_not_found", "not_found_error", "deploymentnotfound", "invalid_model") ||
      (statusIn(f, 400, 403, 422, undefined) &&
        /model\b.{0,120}(does not exist|not found|is not a valid model|not available)|invalid model|not a valid model/.test(
          f.text,
        )),
  },
  { code: "forbidden", when: (f) => f.status === 403 || (none(f) && has(f, "permission_error", "permission_denied")) },
  {
    code: "overloaded",
    when: (f) =>
      statusIn(f, 503, 529) ||
      ((none(f) || statusIn(f, 429) || isServerError(f)) &&
        (has(f, "overloaded_error", "engine_overloaded", "engine_overloaded_error", "model_overloaded", "overloaded") ||
          /overloaded|at capacity|capacity exceeded|server is busy|currently loading/.test(f.text))),
  },
  {
    code: "rate-limited",
    when: (f) =>
      f.status === 429 ||
      (none(f) &&
        (has(f, "rate_limit_exceeded", "rate_limit_error", "resource_exhausted") || /rate limit/.test(f.text))),
  },
  {
    code: "timeout",
    when: (f) =>
      statusIn(f, 408, 504, 522, 524) ||
      ((none(f) || isServerError(f)) && has(f, "timeout", "timeout_error", "deadline_exceeded")) ||
      (isServerError(f) && /deadline exceeded/.test(f.text)),
  },
  { code: "too-large", when: (f) => f.status === 413 || has(f, "request_too_large") },
  // 409 and 425 mean "not at this moment": another request of the same account is in the way.
  {
    code: "unavailable",
    when: (f) => isServerError(f) || statusIn(f, 409, 425) || (none(f) && has(f, ...SERVER_WORDS)),
  },
  {
    code: "bad-request",
    when: (f) => f.status !== undefined || has(f, "invalid_request_error", "invalid_argument", "badrequesterror"),
  },
];

const SERVER_WORDS = [
  "server_error",
  "internal_server_error",
  "internal_error",
  "internal",
  "api_error",
  "unavailable",
];

const CONTEXT_WORDINGS: readonly RegExp[] = [
  /maximum (context|prompt|input|model) length/,
  /maximum number of (input )?tokens/,
  // "context deadline exceeded" is how programs in Go say that they ran out of time.
  /context(?! deadline).{0,60}(exceed|too (long|large|small)|overflow)/,
  /(exceed|larger than|longer than|greater than|beyond|fit into|too long).{0,80}context/,
  /(prompt|input|conversation|messages?) (is|are|was|were) too (long|large)/,
  /input token count.{0,60}exceed/,
  /exceeded model token limit/,
  /too many (input )?tokens/,
  /reduce the length of the (messages|prompt|input|conversation)/,
  /max_seq_len|max_model_len/,
  /tokens \+ `?max_new_tokens`? must be/,
  /range of input length should be/,
];

const QUOTA_WORDINGS =
  /credit balance is too low|insufficient (account )?(balance|credits?|funds|quota)|billing hard limit|(spending|spend) limit|used all available credits|per-day\b.*credits|free-models-per-day/;

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

function has(facts: Facts, ...words: readonly string[]): boolean {
  return words.some((word) => facts.words.has(word));
}

function statusIn(facts: Facts, ...statuses: readonly (number | undefined)[]): boolean {
  return statuses.includes(facts.status);
}

function none(facts: Facts): boolean {
  return facts.status === undefined;
}

function isServerError(facts: Facts): boolean {
  return facts.status !== undefined && facts.status >= 500;
}

function after(ms?: number): Retry {
  return ms === undefined ? { kind: "after" } : { kind: "after", ms };
}

function collectFacts(failure: ProviderFailure): Facts {
  const words = new Set<string>();
  const prose: string[] = [];
  visit(failure.body, "message", words, prose);
  const told = failure.status !== undefined && failure.status >= 400 ? failure.status : statusWord(words);
  return { status: told, words, text: prose.join("\n").toLowerCase() };
}

/** In a stream, and behind some gateways that always answer 200, the status is a number in the body. */
function statusWord(words: ReadonlySet<string>): number | undefined {
  return [...words].filter((word) => /^[45]\d\d$/.test(word)).map(Number)[0];
}

const WORD_KEYS: ReadonlySet<string> = new Set(["code", "type", "status", "reason"]);
// Only where providers put their own words: other keys echo the request, and a person may well have typed "rate limit".
const PROSE_KEYS: ReadonlySet<string> = new Set([
  "message",
  "detail",
  "details",
  "error",
  "msg",
  "raw",
  "title",
  "quotaId",
  "retryDelay",
]);
const NESTED_KEYS: ReadonlySet<string> = new Set(["innererror", "metadata", "violations", "cause"]);

function visit(value: unknown, key: string, words: Set<string>, prose: string[], depth = 0): void {
  if (depth > 6) return;
  if (Array.isArray(value)) {
    for (const item of value.slice(0, 20)) visit(item, key, words, prose, depth + 1);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value))
      if (WORD_KEYS.has(name) || PROSE_KEYS.has(name) || NESTED_KEYS.has(name))
        visit(inner, name, words, prose, depth + 1);
  } else if (typeof value === "number") {
    if (WORD_KEYS.has(key)) words.add(String(value));
  } else if (typeof value === "string") {
    // A gateway passes its upstream's error on as text; its codes count as much as its words.
    const inner = parseIfJson(value);
    if (typeof inner === "object") visit(inner, key, words, prose, depth + 1);
    else if (WORD_KEYS.has(key)) words.add(value.toLowerCase());
    else prose.push(`${key}: ${value}`.slice(0, 4000));
  }
}

function parseIfJson(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function causeCodes(error: unknown): string[] {
  const codes: string[] = [];
  let current = error;
  for (let depth = 0; depth < 6 && current instanceof Error; depth += 1) {
    if ("code" in current && typeof current.code === "string") codes.push(current.code);
    current = current.cause;
  }
  return codes;
}
