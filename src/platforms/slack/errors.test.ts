import { webApi } from "@slack/bolt";
import { expect, test } from "vitest";
import { MEANINGS, outsideError, refusal } from "./errors.ts";

const CALLED = { method: "chat.postMessage", where: "C042" };
const refused = (error: string, more: object = {}) => new webApi.WebAPIPlatformError({ ok: false, error, ...more });
const http = (status: number) => new webApi.WebAPIHTTPError(status, "", { authorization: "xoxb-secret" }, "<html>");
const named = (name: string) => Object.assign(new Error("it took too long"), { name });

test.each([
  [refused("channel_not_found"), "not-found", { kind: "never" }],
  [refused("is_archived"), "not-found", { kind: "never" }],
  [refused("not_in_channel"), "forbidden", { kind: "never" }],
  [refused("invalid_auth"), "unauthorized", { kind: "never" }],
  [refused("token_revoked"), "unauthorized", { kind: "never" }],
  [refused("account_inactive"), "unauthorized", { kind: "never" }],
  [refused("msg_too_long"), "too-large", { kind: "never" }],
  [refused("missing_scope", { needed: "chat:write" }), "forbidden", { kind: "never" }],
  [refused("internal_error"), "unavailable", { kind: "after" }],
  [refused("fatal_error"), "unavailable", { kind: "after" }],
  [refused("ratelimited"), "rate-limited", { kind: "after" }],
  [refused("ratelimited", { response_metadata: { retryAfter: 4 } }), "rate-limited", { kind: "after", ms: 4_000 }],
  [refused("a_word_of_tomorrow"), "refused", { kind: "never" }],
  [refused("<html>not even JSON</html>"), "refused", { kind: "never" }],
  [new webApi.WebAPIRateLimitedError(30), "rate-limited", { kind: "after", ms: 30_000 }],
  [new Error("Retry header did not contain a valid timeout (url: x)"), "rate-limited", { kind: "after" }],
  [http(500), "unavailable", { kind: "after" }],
  [http(503), "unavailable", { kind: "after" }],
  [http(408), "unavailable", { kind: "after" }],
  [http(404), "failed", { kind: "never" }],
  [new webApi.WebAPIRequestError(new Error("ECONNREFUSED")), "unavailable", { kind: "after" }],
  [new webApi.WebAPIRequestError(named("TimeoutError")), "timeout", { kind: "after" }],
  [named("TimeoutError"), "timeout", { kind: "after" }],
  [new TypeError("terminated"), "unavailable", { kind: "after" }],
])("%s is %s", (error, code, retry) => {
  const outside = outsideError(error, CALLED);

  expect(outside).toMatchObject({ code, retry });
  expect(outside.message).toContain("chat.postMessage in C042");
  expect(outside.message).not.toMatch(/xoxb|<html>/);
});

test("what Slack refused can be told from the error that was made of it", () => {
  const error = refused("message_not_found");

  expect(refusal(error)).toBe("message_not_found");
  expect(refusal(outsideError(error, CALLED))).toBe("message_not_found");
  expect(refusal(new Error("other"))).toBeUndefined();
});

test("every refusal that only a person can end says what to do or what is so", () => {
  for (const [word, { advice }] of Object.entries(MEANINGS)) expect(advice.length, word).toBeGreaterThan(8);
});
