import { expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

const SECRET = 'p@ss "word"/ü';

test.each([
  ["as it is", SECRET],
  ["in an address", encodeURIComponent(SECRET)],
  ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
  ["in base64", Buffer.from(SECRET).toString("base64")],
  ["in base64url", Buffer.from(SECRET).toString("base64url")],
])("a secret %s is taken out of text", (_how, form) => {
  expect(createRedactor([SECRET]).text(`<${form}> and <${form}>`)).toBe("<[secret]> and <[secret]>");
});

test("a secret inside another one leaves nothing of the longer one", () => {
  expect(createRedactor(["abcd", "abcd-efgh"]).text("abcd-efgh abcd")).toBe("[secret] [secret]");
});

test("texts and keys inside data are cleaned, everything else stays", () => {
  const value = { list: ["has hunter2 in it", 1, null, true], hunter2: { deep: "hunter2" } };
  expect(createRedactor(["hunter2"]).value(value)).toEqual({
    list: ["has [secret] in it", 1, null, true],
    "[secret]": { deep: "[secret]" },
  });
});

test("what is too short to be a secret stays", () => {
  expect(createRedactor(["", "abc"]).text("abc abc")).toBe("abc abc");
});
