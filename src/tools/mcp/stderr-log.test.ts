import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { expect, test } from "vitest";
import { listeningLog } from "../../../test/mcp/lab.ts";
import { logStderr } from "./stderr-log.ts";

async function write(...texts: readonly string[]): Promise<readonly string[]> {
  const { log, lines } = listeningLog();
  const stderr = new PassThrough();
  logStderr(stderr, log);
  for (const text of texts) stderr.write(text);
  stderr.end();
  await finished(stderr);
  return lines;
}

test("every line is logged, wherever it was cut on its way", async () => {
  expect(await write("one\ntw", "o\n\nthree")).toEqual(
    ["one", "two", "three"].map((line) => `an MCP server wrote to stderr {"line":"${line}"}`),
  );
});

test("long lines are cut, and a flood is logged in part", async () => {
  const lines = await write("x".repeat(100_000), "x".repeat(100_000), "\n", "y\n".repeat(5000));
  expect(lines[0]).toBe(`an MCP server wrote to stderr {"line":"${"x".repeat(500)}"}`);
  expect(lines).toHaveLength(121);
  expect(lines.at(-1)).toContain("more is left out");
});
