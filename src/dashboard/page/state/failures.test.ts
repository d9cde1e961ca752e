import { expect, test } from "vitest";

const { describe: inWords, Failure, judge } = await import(new URL("./failures.js", import.meta.url).href);

test.each([
  [0, "unreachable", "retry"],
  [408, "timeout", "retry"],
  [429, "rate_limited", "retry"],
  [500, "internal", "retry"],
  [503, "unavailable", "retry"],
  [401, "unauthorized", "unauthorized"],
  [429, "conversation_full", "refused"],
  [400, "invalid_request", "refused"],
  [403, "forbidden", "refused"],
  [409, "message_id_conflict", "refused"],
  [413, "too_large", "refused"],
])("a message refused with %s %s: %s", (status, code, verdict) => {
  expect(judge(new Failure("no", { status, code }))).toBe(verdict);
});

test("a fault of the page itself is not repeated for ever", () => {
  expect(judge(new TypeError("x is not a function"))).toBe("refused");
});

test("a failure is told in the server's words, unless they name what only programs know", () => {
  expect(inWords(new Failure("text: must not be empty", { status: 400, code: "invalid_request" }))).toBe(
    "text: must not be empty",
  );
  expect(
    inWords(new Failure('The message "m1" no longer waits', { status: 409, code: "message_taken" })),
  ).not.toContain("m1");
  expect(inWords(new TypeError("x is not a function"))).not.toContain("function");
});
