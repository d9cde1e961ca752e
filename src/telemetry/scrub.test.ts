import { describe, expect, test } from "vitest";
import { createScrubber } from "./scrub.ts";

describe("a known secret is left out", () => {
  const scrubber = createScrubber(["s3cr3t/va+lue$", 'quo"ted\nline', "abcd", "abcd-and-more", ""]);

  test.each([
    ["key is s3cr3t/va+lue$!", "key is [secret]!"],
    ["s3cr3t/va+lue$s3cr3t/va+lue$", "[secret][secret]"],
    ["https://x/?q=s3cr3t%2Fva%2Blue%24&b=1", "https://x/?q=[secret]&b=1"],
    [`Basic-ish ${Buffer.from("s3cr3t/va+lue$").toString("base64")}`, "Basic-ish [secret]"],
    ['body: {"a":"quo\\"ted\\nline"}', 'body: {"a":"[secret]"}'],
    ["abcd-and-more", "[secret]"],
    ["abcd and more", "[secret] and more"],
    ["nothing here", "nothing here"],
  ])("%j", (text, expected) => {
    expect(scrubber.scrub(text)).toBe(expected);
  });

  test("also when it becomes known later", () => {
    const scrubber = createScrubber([]);
    expect(scrubber.scrub("hunter22")).toBe("hunter22");
    scrubber.addSecret("hunter22");
    expect(scrubber.scrub("hunter22")).toBe("[secret]");
  });

  test("unless it is so short that it would be found everywhere", () => {
    expect(createScrubber(["a", "ab", "abc"]).scrub("abc cab")).toBe("abc cab");
  });
});

describe("what looks like a credential is left out, and what does not stays", () => {
  const scrubber = createScrubber([]);

  test.each([
    ["redis://user:pass@host:6379/1", "redis://[secret]@host:6379/1"],
    ["redis://:p@ss@host", "redis://[secret]@host"],
    ["see https://token@example.com/a@b", "see https://[secret]@example.com/a@b"],
    ["Authorization: Bearer abc.def-ghi_123", "Authorization: Bearer [secret]"],
    ["bearer   abcdefghijk", "bearer [secret]"],
    ["Basic dXNlcjpwYXNzd29yZA==", "Basic [secret]"],
    ["GET /x?api_key=12345&page=2", "GET /x?api_key=[secret]&page=2"],
    ["https://h/?access_token=abc#top", "https://h/?access_token=[secret]"],
    ["password=hunter2 user=ada", "password=[secret] user=ada"],
    ['{"client_secret": "abc", "id": 1}', '{"client_secret": "[secret]", "id": 1}'],
    ["Incorrect API key provided: sk-proj-abcdefghijklmnop1234.", "Incorrect API key provided: [secret]."],
    [`pk_${"A".repeat(43)}`, "[secret]"],
    ["xoxb-1234567890-abcdefghij", "[secret]"],
    [`https://api.telegram.org/bot123456789:AA${"x".repeat(33)}/getMe`, "https://api.telegram.org/bot[secret]/getMe"],
    ["https://example.com/a@b?c=d", "https://example.com/a@b?c=d"],
    ["mail ada@example.com", "mail ada@example.com"],
    ["the bearer of news", "the bearer of news"],
    ["Basic understanding of things", "Basic understanding of things"],
    ["tokens=12 secretary=yes", "tokens=12 secretary=yes"],
    ["ai.api_key: expected string, received number", "ai.api_key: expected string, received number"],
    ["run 1700000000:0c1f2a3b-0c1f-0c1f-0c1f-0c1f2a3b4c5d", "run 1700000000:0c1f2a3b-0c1f-0c1f-0c1f-0c1f2a3b4c5d"],
    ["task-with-a-rather-long-name-in-it", "task-with-a-rather-long-name-in-it"],
  ])("%j becomes %j", (text, expected) => {
    expect(scrubber.scrub(text)).toBe(expected);
  });

  test.each(["a", "a://", "bearer ", "sk-", "token=", '"token":"', "x-", "1:"])(
    "a long line of %j takes no time to speak of",
    (piece) => {
      const text = piece.repeat(Math.ceil(12_000 / piece.length));
      const begin = performance.now();
      scrubber.scrub(text);
      expect(performance.now() - begin).toBeLessThan(5_000);
    },
  );
});
