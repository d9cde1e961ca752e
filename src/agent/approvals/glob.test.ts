import { expect, test } from "vitest";
import { matchesGlob } from "./glob.ts";

test.each([
  { pattern: "pay", text: "pay", fits: true },
  { pattern: "pay", text: "pays", fits: false },
  { pattern: "Pay", text: "pay", fits: false },
  { pattern: "github.*", text: "github.create_issue", fits: true },
  { pattern: "github.*", text: "github", fits: false },
  { pattern: "*@example.com", text: "ann@example.com", fits: true },
  { pattern: "*@example.com", text: "ann@example.com.evil.example", fits: false },
  { pattern: "*", text: "", fits: true },
  { pattern: "", text: "", fits: true },
  { pattern: "", text: "x", fits: false },
  { pattern: "a*b*c", text: "a-b-b-c", fits: true },
  { pattern: "a*b*c", text: "a-c-b", fits: false },
  { pattern: "?ay", text: "pay", fits: true },
  { pattern: "?ay", text: "ay", fits: false },
  { pattern: "a.c", text: "abc", fits: false },
  { pattern: "a*", text: "a\nb", fits: true },
])("$pattern fits $text: $fits", ({ pattern, text, fits }) => {
  expect(matchesGlob(pattern, text)).toBe(fits);
});

test("many stars over a long text end soon", () => {
  expect(matchesGlob(`${"*a".repeat(50)}b`, "a".repeat(32_000))).toBe(false);
});
