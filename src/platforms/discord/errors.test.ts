import { DiscordAPIError, HTTPError, RateLimitError } from "discord.js";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { isDiscordError, toOutsideError } from "./errors.ts";

const WHAT = { what: "post in channel 5", permission: "Send Messages" };

function refusal(status: number, code: number, message: string) {
  return new DiscordAPIError(
    { code, message },
    code,
    status,
    "POST",
    "https://discord.com/api/webhooks/1/secret-token",
    {
      body: { content: "private words" },
      files: undefined,
    },
  );
}

test.each([
  [403, 50001, "Missing Access", "forbidden", "never", /View Channel/],
  [403, 50013, "Missing Permissions", "forbidden", "never", /"Send Messages"/],
  [403, 50007, "Cannot send messages to this user", "forbidden", "never", /blocked/],
  [404, 10003, "Unknown Channel", "not-found", "never", /deleted/],
  [404, 10008, "Unknown Message", "not-found", "never", /deleted/],
  [400, 50083, "Thread is archived", "forbidden", "never", /closed/],
  [400, 50035, "Invalid Form Body", "bad-request", "never", /report/],
  [413, 40005, "Request entity too large", "too-large", "never", /10 MB/],
  [401, 0, "401: Unauthorized", "unauthorized", "after", /Reset Token.*DISCORD_TOKEN/],
  [401, 50027, "Invalid Webhook Token", "not-found", "never", /15 minutes/],
  [404, 10062, "Unknown interaction", "not-found", "never", /15 minutes/],
  [400, 20016, "Slow mode", "rate-limited", "after", /slow mode/],
  [503, 130000, "Overloaded", "overloaded", "after", /too much/],
  [403, 99999, "Something new", "forbidden", "never", /permissions/],
])("HTTP %i with code %i (%s) is %s, retry %s", (status, code, message, expected, retry, advice) => {
  const error = toOutsideError(refusal(status, code, message), WHAT);
  expect(error.code).toBe(expected);
  expect(error.retry.kind).toBe(retry);
  expect(error.message).toContain("post in channel 5");
  expect(error.message).toMatch(advice);
});

test("what people wrote and the token of an interaction are in no error", () => {
  const error = toOutsideError(refusal(403, 50013, "Missing Permissions"), WHAT);
  expect(inspect(error, { depth: 9 })).not.toMatch(/secret-token|private words/);
  expect(isDiscordError(error, 50013)).toBe(true);
});

test("a wait that Discord asks for is given on", () => {
  const limit = new RateLimitError({
    global: false,
    hash: "h",
    limit: 5,
    majorParameter: "5",
    method: "POST",
    retryAfter: 3050,
    route: "/channels/:id/messages",
    scope: "user",
    sublimitTimeout: 0,
    timeToReset: 20,
    url: "https://discord.com/api",
  });
  expect(toOutsideError(limit, WHAT)).toMatchObject({ code: "rate-limited", retry: { kind: "after", ms: 3050 } });
});

test.each([
  [
    new HTTPError(502, "Bad Gateway", "POST", "https://discord.com", { body: undefined, files: undefined }),
    "unavailable",
  ],
  [Object.assign(new Error("This operation was aborted"), { name: "AbortError" }), "timeout"],
  [Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" }), "unavailable"],
])("%s may pass", (cause, code) => {
  expect(toOutsideError(cause, WHAT)).toMatchObject({ code, retry: { kind: "after" } });
});
