import { expect, test } from "vitest";
import { estimateTokens } from "./estimate.ts";

test.each([
  { text: "", tokens: 0 },
  { text: "a", tokens: 1 },
  { text: "four", tokens: 1 },
  { text: "a sentence of 24 letters", tokens: 6 },
  { text: "¿Qué?", tokens: 2 },
  { text: "你好，世界", tokens: 4 },
])("estimates $tokens tokens for $text", ({ text, tokens }) => {
  expect(estimateTokens(text)).toBe(tokens);
});
