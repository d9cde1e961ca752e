import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { displayWidth, fitRow, wrap } from "./text-layout.ts";

test.each(["", "plain", "你好", "한글 ﾊﾝ", "e\u0301", "tick ✅ star ⭐", "👍 🚀", "naïve – “quoted”", "→ ░ █", "𠀀"])(
  "the width of %j is the one Node's line editor reckons with",
  (text) => {
    const output = Object.assign(new PassThrough(), { columns: 10_000 });
    const editor = createInterface({ input: new PassThrough(), output, terminal: true });
    onTestFinished(() => editor.close());
    editor.setPrompt(text);
    expect(displayWidth(text)).toBe(editor.getCursorPos().cols);
  },
);

test.each([
  ["nothing", "", 10, [""]],
  ["what fits", "one two", 10, ["one two"]],
  ["between words", "one two three", 9, ["one two", "three"]],
  ["a break just where the row is full", "one two three", 7, ["one two", "three"]],
  ["a word longer than a row", "abcdefghij k", 4, ["abcd", "efgh", "ij k"]],
  ["a long word after a short one", "a bcdefgh", 4, ["a", "bcde", "fgh"]],
  ["its own breaks", "one\n\ntwo\n", 10, ["one", "", "two", ""]],
  ["indentation", "  if x:\n    y", 10, ["  if x:", "    y"]],
  ["a tab", "\tx", 10, ["  x"]],
  ["white space at the end, for what follows", "one ", 10, ["one "]],
  ["wide characters", "你好你好", 5, ["你好", "你好"]],
])("%s", (_, text, columns, rows) => {
  expect(wrap(text, columns)).toEqual(rows);
});

test("a text that grows is broken like the whole text", () => {
  const whole = "The quick brown fox jumps over the lazy dog, and a veryveryverylongword follows.";
  for (const columns of [5, 12, 20]) {
    const done: string[] = [];
    let tail = "";
    for (const piece of whole.match(/.{1,3}/g) ?? []) {
      const rows = wrap(tail + piece, columns);
      tail = rows.pop() ?? "";
      done.push(...rows);
    }
    const words = (rows: readonly string[]) => rows.join(" ").replace(/\s/g, "");
    expect(words([...done, tail])).toBe(words([whole]));
    for (const row of done) expect(displayWidth(row)).toBeLessThanOrEqual(columns);
  }
});

test.each([
  ["short", 10, "short"],
  ["exactly ten", 11, "exactly ten"],
  ["exactly ten", 10, "exactly t…"],
  ["你好你好", 5, "你好…"],
  ["one\ntwo", 10, "one"],
])("%j in %i columns is %j", (text, columns, row) => {
  expect(fitRow(text, columns)).toBe(row);
});
