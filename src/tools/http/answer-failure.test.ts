import { describe, expect, test } from "vitest";
import { describeAnswer } from "./answer-failure.ts";
import { createRedactor } from "./redact.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

describe("an unsuccessful status", () => {
  test.each([
    { status: 302, effect: "read", code: "failed", retry: "never" },
    { status: 400, effect: "read", code: "bad-request", retry: "never" },
    { status: 401, effect: "read", code: "unauthorized", retry: "never" },
    { status: 402, effect: "read", code: "quota-exhausted", retry: "never" },
    { status: 403, effect: "read", code: "forbidden", retry: "never" },
    { status: 404, effect: "read", code: "not-found", retry: "never" },
    { status: 408, effect: "read", code: "timeout", retry: "after" },
    { status: 408, effect: "once", code: "timeout", retry: "never" },
    { status: 409, effect: "idempotent", code: "bad-request", retry: "never" },
    { status: 410, effect: "read", code: "not-found", retry: "never" },
    { status: 413, effect: "once", code: "too-large", retry: "never" },
    { status: 422, effect: "once", code: "bad-request", retry: "never" },
    { status: 429, effect: "read", code: "rate-limited", retry: "after" },
    { status: 429, effect: "once", code: "rate-limited", retry: "after" },
    { status: 500, effect: "read", code: "unavailable", retry: "after" },
    { status: 500, effect: "idempotent", code: "unavailable", retry: "after" },
    { status: 500, effect: "once", code: "unavailable", retry: "never" },
    { status: 501, effect: "read", code: "unavailable", retry: "never" },
    { status: 503, effect: "idempotent", code: "unavailable", retry: "after" },
    { status: 503, effect: "once", code: "unavailable", retry: "never" },
  ] as const)("$status of a $effect call is $code, retry $retry", ({ status, effect, code, retry }) => {
    const failure = describe_({ status }, effect);
    expect(failure).toMatchObject({ code, retry: { kind: retry } });
    expect(failure.message.includes("whether it was carried out is not known")).toBe(
      effect === "once" && status >= 500,
    );
  });

  test.each([
    ["30", 30_000],
    [" 0 ", 0],
    ["Sat, 21 Nov 2026 12:01:30 GMT", 90_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["999999999", 86_400_000],
    ["soon", undefined],
    ["-5", 0],
  ])("with Retry-After %j is tried again after %j ms", (header, ms) => {
    const { retry } = describe_({ status: 429, headers: { "retry-after": header } });
    expect(retry).toEqual(ms === undefined ? { kind: "after" } : { kind: "after", ms });
  });
});

describe("what the service said", () => {
  test.each([
    ["application/json", '{"error":{"message":"No such user"}}', "No such user"],
    ["application/json", '{"message":"Validation failed","errors":[]}', "Validation failed"],
    ["application/problem+json", '{"title":"Bad","detail":"Worse"}', "Worse"],
    ["application/json", '{"error":"nope"}', "nope"],
    ["application/json", '{"code":7}', '{"code":7}'],
    ["application/json", "not JSON", "not JSON"],
    ["text/html", "<title>x</title><h1>Not\n here</h1><script>x</script>", "Not here"],
    ["text/plain", "a\n\n  b", "a b"],
    ["text/plain", "the key hunter2-key is wrong", "the key [secret] is wrong"],
  ])("as %s: %s", (type, body, said) => {
    const failure = describe_({ status: 400, headers: { "content-type": type }, body });
    expect(failure.message).toBe(`api.test (GET /x) answered 400. It said: ${said}`);
  });

  test.each([
    ["image/png", "\u0000\u0001"],
    ["text/plain", ""],
  ])("as %s is left out when there is nothing to read", (type, body) => {
    const failure = describe_({ status: 400, headers: { "content-type": type }, body });
    expect(failure.message).toBe("api.test (GET /x) answered 400");
  });

  test("is cut when it is long", () => {
    const failure = describe_({ status: 400, headers: { "content-type": "text/plain" }, body: "x".repeat(10_000) });
    expect(failure.message.length).toBeLessThan(500);
    expect(failure.message).toMatch(/x…$/);
  });
});

function describe_(
  answer: { status: number; headers?: Record<string, string>; body?: string },
  effect: "read" | "idempotent" | "once" = "read",
) {
  return describeAnswer(
    { status: answer.status, headers: new Headers(answer.headers), body: Buffer.from(answer.body ?? "") },
    { asked: "api.test (GET /x)", effect, redactor: createRedactor(["hunter2-key"]), now: NOW },
  );
}
