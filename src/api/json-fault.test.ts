import fc from "fast-check";
import { expect, test } from "vitest";
import { findJsonFault } from "./json-fault.ts";

test.each([
  { text: "", at: [1, 1], found: "the end of the body" },
  { text: '{"a":}', at: [1, 6], found: '"}"' },
  { text: '{"a":1,}', at: [1, 8], found: '"}"' },
  { text: "{'a':1}", at: [1, 2], found: `"'"` },
  { text: '{"a":1', at: [1, 7], found: "the end of the body" },
  { text: '{\n  "a": nul\n}', at: [2, 8], found: '"n"' },
  { text: '{"a": "x\ny"}', at: [1, 7], found: '"\\""' },
  { text: '["\\x"]', at: [1, 2], found: '"\\""' },
  { text: "[01]", at: [1, 3], found: '"1"' },
  { text: "[1 2]", at: [1, 4], found: '"2"' },
  { text: "{} {}", at: [1, 4], found: '"{"' },
  { text: "[1}", at: [1, 3], found: '"}"' },
  { text: '{"a" 1}', at: [1, 6], found: '"1"' },
  { text: "[1,\n 2,\n 🙂]", at: [3, 2], found: '"🙂"' },
])("$text is no JSON from $at", ({ text, at: [line, column], found }) => {
  expect(findJsonFault(text)).toEqual({ line, column, found });
});

test("agrees with the engine on what is JSON", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"a"',
    '"\\u00e9"',
    "1",
    "-0.5e3",
    "true",
    "null",
    " ",
    "\n",
    "x",
  );
  const texts = fc.oneof(
    fc.json(),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(findJsonFault(text) === undefined).toBe(isJson(text));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  { name: "a deep nest", text: "[".repeat(500_000) + "]".repeat(500_000), found: undefined },
  { name: "a nest that never ends", text: "[".repeat(1_000_000), found: "the end of the body" },
  { name: "a long string", text: `"${"é".repeat(1_000_000)}"`, found: undefined },
  { name: "a long string that never ends", text: `"${"x".repeat(1_000_000)}`, found: '"\\""' },
  { name: "a long string of escapes", text: `"${"\\n".repeat(500_000)}"`, found: undefined },
  { name: "many lines", text: "\n".repeat(1_000_000), found: "the end of the body" },
])("$name exhausts nothing", ({ text, found }) => {
  expect(findJsonFault(text)?.found).toBe(found);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ["plain", "x".repeat(20_000_000)],
  ["of escapes", String.raw`\n\u0041`.repeat(2_000_000)],
])("a string of many megabytes, %s, is read in one go", (_kind, content) => {
  expect(findJsonFault(`{"a":"${content}"}`)).toBeUndefined();
  expect(findJsonFault(`{"a":"${content}`)).toMatchObject({ column: 6, found: '"\\""' });
});
