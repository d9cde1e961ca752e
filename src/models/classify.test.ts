import { describe, expect, test } from "vitest";
import type { OutsideCode } from "../kernel/errors.ts";
import { classify, classifyConnection } from "./classify.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

interface Case {
  readonly from: string;
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
  readonly code: OutsideCode;
  /** `never`, `after`, or the milliseconds the provider asked for. */
  readonly retry: "never" | "after" | number;
}

const cases: readonly Case[] = [
  // OpenAI
  {
    from: "OpenAI requests per minute",
    status: 429,
    headers: { "retry-after": "20", "x-ratelimit-remaining-requests": "0" },
    body: {
      error: {
        message:
          "Rate limit reached for gpt-4.1 in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to learn more.",
        type: "requests",
        param: null,
        code: "rate_limit_exceeded",
      },
    },
    code: "rate-limited",
    retry: 20_000,
  },
  {
    from: "OpenAI tokens per minute, the wait only in words",
    status: 429,
    body: {
      error: {
        message:
          "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 1.999s.",
        type: "tokens",
        code: "rate_limit_exceeded",
      },
    },
    code: "rate-limited",
    retry: 1999,
  },
  {
    from: "OpenAI, one request above the allowance per minute",
    status: 429,
    body: {
      error: {
        message:
          "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 41000. The input or output tokens must be reduced in order to run successfully.",
        type: "tokens",
        code: "rate_limit_exceeded",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "OpenAI without credit",
    status: 429,
    body: {
      error: {
        message: "You exceeded your current quota, please check your plan and billing details.",
        type: "insufficient_quota",
        param: null,
        code: "insufficient_quota",
      },
    },
    code: "quota-exhausted",
    retry: "never",
  },
  {
    from: "OpenAI at its hard limit",
    status: 400,
    body: {
      error: {
        message: "Billing hard limit has been reached",
        type: "invalid_request_error",
        code: "billing_hard_limit_reached",
      },
    },
    code: "quota-exhausted",
    retry: "never",
  },
  {
    from: "OpenAI with a wrong key",
    status: 401,
    body: {
      error: {
        message: "Incorrect API key provided: sk-ab***yz.",
        type: "invalid_request_error",
        code: "invalid_api_key",
      },
    },
    code: "unauthorized",
    retry: "never",
  },
  {
    from: "OpenAI from a country it does not serve",
    status: 403,
    body: {
      error: {
        message: "Country, region, or territory not supported",
        type: "request_forbidden",
        code: "unsupported_country_region_territory",
      },
    },
    code: "forbidden",
    retry: "never",
  },
  {
    from: "OpenAI, unknown model",
    status: 404,
    body: {
      error: {
        message: "The model `gpt-9` does not exist or you do not have access to it.",
        type: "invalid_request_error",
        code: "model_not_found",
      },
    },
    code: "not-found",
    retry: "never",
  },
  {
    from: "OpenAI, project without the model",
    status: 403,
    body: {
      error: {
        message: "Project `proj_x` does not have access to model `o3`",
        type: "invalid_request_error",
        code: "model_not_found",
      },
    },
    code: "not-found",
    retry: "never",
  },
  {
    from: "OpenAI, context",
    status: 400,
    body: {
      error: {
        message:
          "This model's maximum context length is 128000 tokens. However, your messages resulted in 140012 tokens. Please reduce the length of the messages.",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "OpenAI, context in the newer wording",
    status: 400,
    body: {
      error: {
        message:
          "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens. Please reduce the length of the messages.",
        type: "invalid_request_error",
        code: "context_length_exceeded",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "OpenAI, a broken transcript",
    status: 400,
    body: {
      error: {
        message:
          "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
        type: "invalid_request_error",
        param: "messages.[3].role",
        code: null,
      },
    },
    code: "bad-request",
    retry: "never",
  },
  {
    from: "OpenAI, a 400 that talks about rate limits",
    status: 400,
    headers: { "retry-after": "5" },
    body: { error: { message: "Rate limit settings are not valid for this request", type: "invalid_request_error" } },
    code: "bad-request",
    retry: "never",
  },
  {
    from: "OpenAI, own fault",
    status: 500,
    body: {
      error: {
        message: "The server had an error while processing your request. Sorry about that!",
        type: "server_error",
        param: null,
        code: null,
      },
    },
    code: "unavailable",
    retry: "after",
  },
  {
    from: "OpenAI, engine overloaded",
    status: 503,
    body: { error: { message: "The engine is currently overloaded, please try again later", type: "server_error" } },
    code: "overloaded",
    retry: "after",
  },
  {
    from: "OpenAI, an error event in the stream",
    body: {
      message: "The server had an error while processing your request.",
      type: "server_error",
      code: "internal_error",
    },
    code: "unavailable",
    retry: "after",
  },
  {
    from: "OpenAI, content policy",
    status: 400,
    body: {
      error: {
        message: "Your request was rejected as a result of our safety system.",
        type: "invalid_request_error",
        code: "content_policy_violation",
      },
    },
    code: "refused",
    retry: "never",
  },
  // Azure
  {
    from: "Azure, content filter",
    status: 400,
    body: {
      error: {
        message:
          "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
        type: null,
        param: "prompt",
        code: "content_filter",
        status: 400,
        innererror: { code: "ResponsibleAIPolicyViolation", content_filter_result: { hate: { filtered: true } } },
      },
    },
    code: "refused",
    retry: "never",
  },
  {
    from: "Azure, tokens per minute",
    status: 429,
    headers: { "retry-after-ms": "8123", "retry-after": "9" },
    body: {
      error: {
        code: "429",
        message:
          "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 9 seconds.",
      },
    },
    code: "rate-limited",
    retry: 8123,
  },
  {
    from: "Azure, the wait only in words",
    status: 429,
    body: { error: { code: "429", message: "Requests have exceeded call rate limit. Please retry after 42 seconds." } },
    code: "rate-limited",
    retry: 42_000,
  },
  {
    from: "Azure, no such deployment",
    status: 404,
    body: { error: { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." } },
    code: "not-found",
    retry: "never",
  },
  {
    from: "Azure, wrong key",
    status: 401,
    body: { statusCode: 401, message: "Access denied due to invalid subscription key or wrong API endpoint." },
    code: "unauthorized",
    retry: "never",
  },
  // Anthropic
  {
    from: "Anthropic, overloaded",
    status: 529,
    body: { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_1" },
    code: "overloaded",
    retry: "after",
  },
  {
    from: "Anthropic, overloaded in the stream",
    body: { type: "overloaded_error", message: "Overloaded" },
    code: "overloaded",
    retry: "after",
  },
  {
    from: "Anthropic, rate limit",
    status: 429,
    headers: { "retry-after": "13" },
    body: {
      type: "error",
      error: {
        type: "rate_limit_error",
        message: "This request would exceed your organization's rate limit of 40,000 input tokens per minute",
      },
    },
    code: "rate-limited",
    retry: 13_000,
  },
  {
    from: "Anthropic, no credit",
    status: 400,
    body: {
      type: "error",
      error: {
        type: "invalid_request_error",
        message: "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
      },
    },
    code: "quota-exhausted",
    retry: "never",
  },
  {
    from: "Anthropic, prompt too long",
    status: 400,
    body: {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 210345 tokens > 200000 maximum" },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "Anthropic, prompt and answer too long",
    status: 400,
    body: {
      type: "error",
      error: {
        type: "invalid_request_error",
        message:
          "input length and `max_tokens` exceed context limit: 174167 + 64000 > 200000, decrease input length or `max_tokens` and try again",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "Anthropic, request too large in bytes",
    status: 413,
    body: { type: "error", error: { type: "request_too_large", message: "Request exceeds the maximum size" } },
    code: "too-large",
    retry: "never",
  },
  {
    from: "Anthropic, key without permission",
    status: 403,
    body: {
      type: "error",
      error: {
        type: "permission_error",
        message: "Your API key does not have permission to use the specified resource.",
      },
    },
    code: "forbidden",
    retry: "never",
  },
  // Gemini
  {
    from: "Gemini, requests per minute, worded as a quota",
    status: 429,
    body: [
      {
        error: {
          code: 429,
          message:
            "You exceeded your current quota, please check your plan and billing details. Please retry in 37.2s.",
          status: "RESOURCE_EXHAUSTED",
          details: [
            {
              "@type": "type.googleapis.com/google.rpc.QuotaFailure",
              violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", quotaValue: "10" }],
            },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "37s" },
          ],
        },
      },
    ],
    code: "rate-limited",
    retry: 37_200,
  },
  {
    from: "Gemini, RetryInfo alone",
    status: 429,
    body: {
      error: {
        code: 429,
        message: "Resource has been exhausted (e.g. check quota).",
        status: "RESOURCE_EXHAUSTED",
        details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "12s" }],
      },
    },
    code: "rate-limited",
    retry: 12_000,
  },
  {
    from: "Gemini, requests per day",
    status: 429,
    body: {
      error: {
        code: 429,
        message: "You exceeded your current quota, please check your plan and billing details.",
        status: "RESOURCE_EXHAUSTED",
        details: [{ violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier", quotaValue: "50" }] }],
      },
    },
    code: "quota-exhausted",
    retry: "never",
  },
  {
    from: "Gemini, wrong key, as a 400",
    status: 400,
    body: {
      error: {
        code: 400,
        message: "API key not valid. Please pass a valid API key.",
        status: "INVALID_ARGUMENT",
        details: [{ reason: "API_KEY_INVALID", domain: "googleapis.com" }],
      },
    },
    code: "unauthorized",
    retry: "never",
  },
  {
    from: "Gemini, overloaded",
    status: 503,
    body: { error: { code: 503, message: "The model is overloaded. Please try again later.", status: "UNAVAILABLE" } },
    code: "overloaded",
    retry: "after",
  },
  {
    from: "Gemini, context",
    status: 400,
    body: {
      error: {
        code: 400,
        message: "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
        status: "INVALID_ARGUMENT",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "Gemini, own fault",
    status: 500,
    body: { error: { code: 500, message: "An internal error has occurred.", status: "INTERNAL" } },
    code: "unavailable",
    retry: "after",
  },
  // Ollama and llama.cpp
  {
    from: "Ollama, model not pulled",
    status: 404,
    body: {
      error: { message: 'model "llama9" not found, try pulling it first', type: "api_error", param: null, code: null },
    },
    code: "not-found",
    retry: "never",
  },
  {
    from: "Ollama, error as plain text",
    status: 400,
    body: { error: "registry.ollama.ai/library/gemma:2b does not support tools" },
    code: "bad-request",
    retry: "never",
  },
  {
    from: "Ollama, queue full",
    status: 503,
    body: { error: "server busy, please try again.  maximum pending requests exceeded" },
    code: "overloaded",
    retry: "after",
  },
  {
    from: "llama.cpp, context",
    status: 400,
    body: {
      error: {
        code: 400,
        message: "the request exceeds the available context size, try increasing it",
        type: "exceed_context_size_error",
        n_prompt_tokens: 9000,
        n_ctx: 4096,
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "llama.cpp, loading",
    status: 503,
    body: { error: { code: 503, message: "Loading model", type: "unavailable_error" } },
    code: "overloaded",
    retry: "after",
  },
  // vLLM, TGI and other servers
  {
    from: "vLLM, context",
    status: 400,
    body: {
      object: "error",
      message:
        "This model's maximum context length is 8192 tokens. However, you requested 8203 tokens (7691 in the messages, 512 in the completion). Please reduce the length of the messages or completion.",
      type: "BadRequestError",
      param: null,
      code: 400,
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "vLLM, context of the decoder",
    status: 400,
    body: {
      error: {
        message:
          "The decoder prompt (length 163840) is longer than the maximum model length of 131072. Make sure that `max_model_len` is no smaller than the number of text tokens.",
        type: "BadRequestError",
        code: 400,
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "vLLM, unknown model",
    status: 404,
    body: { object: "error", message: "The model `x` does not exist.", type: "NotFoundError", param: null, code: 404 },
    code: "not-found",
    retry: "never",
  },
  {
    from: "vLLM, error in the stream",
    body: {
      object: "error",
      message: "EngineCore encountered an issue.",
      type: "InternalServerError",
      param: null,
      code: 500,
    },
    code: "unavailable",
    retry: "after",
  },
  {
    from: "a validating server that echoes what the person typed",
    status: 422,
    body: {
      detail: [
        {
          type: "missing",
          loc: ["body", "model"],
          msg: "Field required",
          input: { content: "why is it overloaded, too many tokens?" },
        },
      ],
    },
    code: "bad-request",
    retry: "never",
  },
  {
    from: "DeepSeek, no balance",
    status: 402,
    body: {
      error: { message: "Insufficient Balance", type: "unknown_error", param: null, code: "invalid_request_error" },
    },
    code: "quota-exhausted",
    retry: "never",
  },
  {
    from: "Moonshot, overloaded as a 429",
    status: 429,
    body: {
      error: { message: "The engine is currently overloaded, please try again later", type: "engine_overloaded_error" },
    },
    code: "overloaded",
    retry: "after",
  },
  {
    from: "Moonshot, context",
    status: 400,
    body: {
      error: {
        message: "Invalid request: Your request exceeded model token limit: 131072",
        type: "invalid_request_error",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "Mistral, capacity",
    status: 429,
    body: {
      object: "error",
      message: "Service tier capacity exceeded for this model.",
      type: "service_tier_capacity_exceeded",
      code: "3505",
    },
    code: "overloaded",
    retry: "after",
  },
  {
    from: "Groq, one request above the allowance",
    status: 413,
    body: {
      error: {
        message:
          "Request too large for model `llama-3.3-70b-versatile` in organization `org_x` service tier `on_demand` on tokens per minute (TPM): Limit 12000, Requested 15203, please reduce your message size and try again.",
        type: "tokens",
        code: "rate_limit_exceeded",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "Groq, tokens per day",
    status: 429,
    body: {
      error: {
        message:
          "Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 99900, Requested 500. Please try again in 5m45.6s.",
        type: "tokens",
        code: "rate_limit_exceeded",
      },
    },
    code: "rate-limited",
    retry: 345_600,
  },
  // OpenRouter
  {
    from: "OpenRouter, no credit",
    status: 402,
    body: { error: { message: "This request requires more credits, or fewer max_tokens.", code: 402 } },
    code: "quota-exhausted",
    retry: "never",
  },
  {
    from: "OpenRouter, its upstream limits",
    status: 429,
    body: {
      error: {
        message: "Provider returned error",
        code: 429,
        metadata: { raw: "some/model is temporarily rate-limited upstream. Please retry shortly.", provider_name: "X" },
      },
    },
    code: "rate-limited",
    retry: "after",
  },
  {
    from: "OpenRouter, its upstream's context error passed on as text",
    status: 400,
    body: {
      error: {
        message: "Provider returned error",
        code: 400,
        metadata: {
          raw: '{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}',
        },
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "OpenRouter, free requests of the day used",
    status: 429,
    body: {
      error: {
        message: "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
        code: 429,
      },
    },
    code: "quota-exhausted",
    retry: "never",
  },
  {
    from: "OpenRouter, moderation",
    status: 403,
    body: {
      error: { message: "Your input was flagged", code: 403, metadata: { reasons: ["violence"], flagged_input: "…" } },
    },
    code: "refused",
    retry: "never",
  },
  {
    from: "OpenRouter, wrong model id",
    status: 400,
    body: { error: { message: "openai/gpt-nope is not a valid model ID", code: 400 } },
    code: "not-found",
    retry: "never",
  },
  {
    from: "OpenRouter, an upstream's failure in the stream",
    body: { code: 502, message: "Provider disconnected unexpectedly" },
    code: "unavailable",
    retry: "after",
  },
  // Gateways
  {
    from: "a gateway's 200 with an error in it",
    status: 200,
    body: { error: { message: "Too many requests", code: 429 } },
    code: "rate-limited",
    retry: "after",
  },
  {
    from: "a gateway's 500 around a context error",
    status: 500,
    body: {
      error: {
        message: "litellm.ContextWindowExceededError: This model's maximum context length is 16384 tokens.",
        code: "500",
      },
    },
    code: "context-too-long",
    retry: "never",
  },
  {
    from: "a gateway in Go that ran out of time",
    status: 500,
    body: { error: { message: 'Post "http://up/v1": context deadline exceeded', type: "server_error" } },
    code: "timeout",
    retry: "after",
  },
  {
    from: "nginx, bad gateway",
    status: 502,
    body: "<html><head><title>502 Bad Gateway</title></head></html>",
    code: "unavailable",
    retry: "after",
  },
  {
    from: "nginx, too large",
    status: 413,
    body: "<html><title>413 Request Entity Too Large</title></html>",
    code: "too-large",
    retry: "never",
  },
  { from: "a gateway's timeout", status: 504, body: "upstream request timeout", code: "timeout", retry: "after" },
  { from: "Cloudflare, origin too slow", status: 524, body: "error code: 524", code: "timeout", retry: "after" },
  {
    from: "maintenance until a date",
    status: 503,
    headers: { "retry-after": "Sat, 21 Nov 2026 12:01:30 GMT" },
    body: "",
    code: "overloaded",
    retry: 90_000,
  },
  {
    from: "a retry date that has passed",
    status: 429,
    headers: { "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" },
    body: "",
    code: "rate-limited",
    retry: 0,
  },
  {
    from: "a nonsensical wait",
    status: 429,
    headers: { "retry-after": "-5" },
    body: "",
    code: "rate-limited",
    retry: "after",
  },
  {
    from: "a wait of a week, cut to a day",
    status: 429,
    headers: { "retry-after": "604800" },
    body: "",
    code: "rate-limited",
    retry: 86_400_000,
  },
  { from: "a conflict with another request", status: 409, body: {}, code: "unavailable", retry: "after" },
  { from: "an error nobody explains", body: {}, code: "failed", retry: "after" },
];

describe("classify", () => {
  test.each(cases)("$from -> $code, retry $retry", ({ status, body, headers, code, retry }) => {
    const verdict = classify(
      {
        body,
        ...(status === undefined ? {} : { status }),
        ...(headers === undefined ? {} : { headers: new Headers(headers) }),
      },
      NOW,
    );
    const expected =
      retry === "never" ? { kind: "never" } : retry === "after" ? { kind: "after" } : { kind: "after", ms: retry };
    expect(verdict).toEqual({ code, retry: expected });
  });

  test("no status 400 is ever retried, whatever its body says", () => {
    const words = [
      "rate_limit_exceeded",
      "overloaded_error",
      "server_error",
      "timeout",
      "resource_exhausted",
      "internal",
    ];
    for (const code of words) {
      const body = { error: { code, message: `${code}, please try again in 3s` } };
      expect(classify({ status: 400, body }, NOW).retry).toEqual({ kind: "never" });
    }
  });
});

describe("classifyConnection", () => {
  test.each([
    { code: "ECONNREFUSED", expected: "unavailable" },
    { code: "ENOTFOUND", expected: "unavailable" },
    { code: "UND_ERR_SOCKET", expected: "unavailable" },
    { code: "UND_ERR_CONNECT_TIMEOUT", expected: "timeout" },
    { code: "UND_ERR_HEADERS_TIMEOUT", expected: "timeout" },
    { code: "ETIMEDOUT", expected: "timeout" },
  ])("$code somewhere below -> $expected, worth another try", ({ code, expected }) => {
    const root = Object.assign(new Error("root"), { code });
    const error = new Error("Connection error.", { cause: new TypeError("fetch failed", { cause: root }) });
    expect(classifyConnection(error)).toEqual({ code: expected, retry: { kind: "after" } });
  });
});
