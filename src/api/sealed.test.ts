import { expect, test } from "vitest";
import { seal, unseal } from "./sealed.ts";

test("what was sealed is read with the same secret and shows nothing of itself", () => {
  const sealed = seal('{"key":"pk_1"}', "secret");
  expect(unseal(sealed, "secret")).toBe('{"key":"pk_1"}');
  expect(Buffer.from(sealed, "base64").toString("latin1")).not.toContain("pk_1");
});

test("the same text is sealed differently every time", () => {
  expect(seal("text", "secret")).not.toBe(seal("text", "secret"));
});

test("another secret or a changed byte opens nothing", () => {
  const sealed = seal("text", "secret");
  expect(() => unseal(sealed, "other")).toThrow();
  const bytes = Buffer.from(sealed, "base64");
  bytes[13] = (bytes[13] ?? 0) ^ 1;
  expect(() => unseal(bytes.toString("base64"), "secret")).toThrow();
});
