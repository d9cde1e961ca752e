import { DiscordjsError, DiscordjsErrorCodes } from "discord.js";
import { expect, test } from "vitest";
import { closedForGood, couldNotConnect } from "./close-codes.ts";

test.each([
  [4004, "unauthorized", /Reset Token.*DISCORD_TOKEN/],
  [4010, "refused", /too many servers/],
  [4011, "refused", /too many servers/],
  [4013, "bad-request", /intents/],
  [4014, "forbidden", /Turn on Message Content Intent at https:\/\/discord\.com\/developers\/applications/],
  [4012, "refused", /4012/],
])("close code %i is %s and says what to do", (code, expected, words) => {
  const error = closedForGood(code);
  expect(error.code).toBe(expected);
  expect(error.message).toMatch(words);
});

test.each([
  [
    new Error("Not enough sessions remaining to spawn 1 shards; only 0 remaining; resets at x"),
    "rate-limited",
    /within a day/,
  ],
  [
    Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
    "unavailable",
    /ECONNREFUSED/,
  ],
  [new Error("Expected token to be set for this request, but none was present"), "unauthorized", /DISCORD_TOKEN/],
])("%s when connecting is %s", (cause, code, words) => {
  const error = couldNotConnect(cause);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(words);
});

test("the library's own words for a wrong token are understood", () => {
  // The constructor is not part of the library's types.
  const error: unknown = Reflect.construct(DiscordjsError, [DiscordjsErrorCodes.TokenInvalid]);
  expect(couldNotConnect(error)).toMatchObject({ code: "unauthorized" });
});
