import { expect, test } from "vitest";
import { linkImports } from "./link-imports.ts";

const ADDRESSES = new Map([
  ["preact", "/v/preact.js"],
  ["@preact/signals", "/v/signals.js"],
  ["preact/hooks", "/v/hooks.js"],
]);

test.each([
  ['import { h } from "preact";', 'import { h } from "/v/preact.js";'],
  ["import { h } from 'preact';", "import { h } from '/v/preact.js';"],
  ['import{h as r}from"preact";export{h}from"preact"', 'import{h as r}from"/v/preact.js";export{h}from"/v/preact.js"'],
  ['import "@preact/signals";', 'import "/v/signals.js";'],
  ['const m = await import("preact/hooks");', 'const m = await import("/v/hooks.js");'],
  ['export * from "preact/hooks";', 'export * from "/v/hooks.js";'],
  ['import { a } from "./preact";', 'import { a } from "./preact";'],
  ['import { a } from "unknown";', 'import { a } from "unknown";'],
  ['const name = "preact";', 'const name = "preact";'],
  ['Array.from("preact")', 'Array.from("/v/preact.js")'],
])("%s becomes %s", (source, linked) => {
  expect(linkImports(source, ADDRESSES)).toBe(linked);
});
