import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test.each([
  ["plain text and its breaks", "one\n\ttwo\n", "one\n\ttwo\n"],
  ["a colour", "\u001B[31mred\u001B[0m", "␛[31mred␛[0m"],
  ["a window title", "\u001B]0;owned\u0007", "␛]0;owned␇"],
  ["a C1 introducer", "\u009B31mred", "\u{FFFD}31mred"],
  ["an overwritten line", "good\rbad", "goodbad"],
  ["a Windows line end", "one\r\ntwo", "one\ntwo"],
  ["backspaces", "ab\b\bcd\u007F", "ab␈␈cd␡"],
  ["reversed text", "\u202Etxt.exe\u202C", "txt.exe"],
  ["half a surrogate pair", "a\uD83D", "a\u{FFFD}"],
  ["other scripts and emoji", "¿Qué? 你好 👩‍💻", "¿Qué? 你好 👩‍💻"],
])("%s", (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("cutting a text into pieces changes nothing", () => {
  const text = "a\u001B[2Jb\r\nc\u009Cd";
  expect(text.split("").map(printable).join("")).toBe(printable(text));
});
