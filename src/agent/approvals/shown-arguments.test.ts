import { expect, test } from "vitest";
import { showArguments } from "./shown-arguments.ts";

test.each<{ given: string; args: unknown; shows: RegExp; hides?: string }>([
  {
    given: "the exact values",
    args: { to: "ann", n: 1.5, yes: true, none: null },
    shows: /"n": 1\.5,\n {2}"yes": true,\n {2}"none": null/,
  },
  { given: "no arguments", args: {}, shows: /^\{\}$/ },
  { given: "secrets by their name", args: { api_key: "abcd" }, shows: /"api_key": "\[secret\]"/, hides: "abcd" },
  {
    given: "secrets by their name further down",
    args: { auth: [{ password: "hunter2" }] },
    shows: /\[secret\]/,
    hides: "hunter2",
  },
  {
    given: "secrets by their shape",
    args: { note: "use sk-abcdefghijklmnop1234" },
    shows: /use \[secret\]/,
    hides: "abcdefgh",
  },
  {
    given: "what a flag says is secret",
    args: { key: "pin", value: "1234", secret: true },
    shows: /"value": "\[secret\]"/,
    hides: "1234",
  },
  { given: "the same without the flag", args: { key: "pin", value: "1234", secret: false }, shows: /"value": "1234"/ },
  { given: "counts of tokens that are no secret", args: { token: true }, shows: /"token": true/ },
  {
    given: "a long text with its size, and what follows it",
    args: { body: "x".repeat(5_000), to: "evil" },
    shows: /\(5000 characters in all\)",\n {2}"to": "evil"/,
  },
  {
    given: "very many arguments with their size",
    args: Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`n${n}`, n])),
    shows: /\n… \(\d+ characters in all; the rest is part of the call and not shown\)$/,
  },
  {
    given: "directions and other unseen characters",
    args: { to: "a\u202Eb\u200Bc\u0007" },
    shows: /a\\u202eb\\u200bc\\u0007/,
  },
  { given: "half characters", args: { to: "\uD800" }, shows: /\\ud800/ },
  { given: "line breaks on one line", args: { to: "a\n```\nb" }, shows: /"a\\n```\\nb"/ },
])("shows $given", ({ args, shows, hides }) => {
  const shown = showArguments(args);
  expect(shown).toMatch(shows);
  if (hides !== undefined) expect(shown).not.toContain(hides);
  expect(shown.length).toBeLessThan(4_200);
});
