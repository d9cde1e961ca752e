import { expect, test } from "vitest";
import { createRedact, redactedCause } from "./redact.ts";

test.each([
  { secret: "sk-1", text: "key sk-1, again sk-1.", clean: "key [key], again [key]." },
  { secret: "a/b+c=", text: "?key=a%2Fb%2Bc%3D", clean: "?key=[key]" },
  { secret: 'a"b', text: '{"key":"a\\"b"}', clean: '{"key":"[key]"}' },
  { secret: "", text: "nothing to hide", clean: "nothing to hide" },
])("hides $secret in $text", ({ secret, text, clean }) => {
  expect(createRedact([secret])(text)).toBe(clean);
});

test("a secret that is part of a longer one does not leave the rest of it readable", () => {
  expect(createRedact(["abc", "abcdef"])("abcdef abc")).toBe("[key] [key]");
});

test("a redacted cause keeps names and messages of the whole chain and nothing else", () => {
  const root = Object.assign(new TypeError("bad header sk-1"), { headers: { authorization: "sk-1" } });
  const copy = redactedCause(new Error("outer sk-1", { cause: root }), createRedact(["sk-1"]));
  expect(copy.message).toBe("outer [key]");
  expect(copy.cause).toMatchObject({ name: "TypeError", message: "bad header [key]" });
  expect(copy.cause).not.toHaveProperty("headers");
  expect(copy.stack ?? "").not.toContain("sk-1");
});
