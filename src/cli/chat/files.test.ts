import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { attachedPath, listFiles, readSentFile } from "./files.ts";

test.each([
  ["/attach report.pdf", "report.pdf"],
  ["  /attach   my report.pdf ", "my report.pdf"],
  ['/attach "my report.pdf"', "my report.pdf"],
  ["/attach", undefined],
  ["/attachment x", undefined],
  ["please /attach x", undefined],
])("%j attaches %j", (line, path) => {
  expect(attachedPath(line)).toBe(path);
});

test("files of the bot are named with their address", () => {
  expect(
    listFiles([
      { name: "a.md", bytes: 3, url: "http://127.0.0.1:1/x" },
      { name: "b", bytes: 0 },
    ]),
  ).toBe("[file] a.md (3 bytes) http://127.0.0.1:1/x\n[file] b (0 bytes)");
});

test("a file is read with its name alone, and one that cannot be read is named", () => {
  const dir = mkdtempSync(join(tmpdir(), "parley-attach-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "a.txt"), "hi");
  expect(readSentFile(join(dir, "a.txt"))).toEqual({ name: "a.txt", content_base64: "aGk=" });
  expect(() => readSentFile(join(dir, "none.txt"))).toThrow(/none\.txt cannot be read/);
  expect(() => readSentFile(dir)).toThrow(/cannot be read/);
});
