import type { Readable } from "node:stream";
import type { Log } from "../../kernel/ports.ts";

const MAX_LINE_CHARS = 500;
const MAX_LINES_PER_MINUTE = 120;
const WINDOW_MS = 60_000;

/**
 * Puts what a program writes to stderr into the debug log: lines cut, and only so many a minute. Goes on reading in any
 * case, because a program whose stderr is full stands still.
 */
export function logStderr(stderr: Readable, log: Log): void {
  let since = performance.now();
  let lines = 0;
  let rest = "";
  const write = (line: string) => {
    if (performance.now() - since > WINDOW_MS) {
      since = performance.now();
      lines = 0;
    }
    lines += 1;
    if (lines <= MAX_LINES_PER_MINUTE)
      log.debug({ line: line.slice(0, MAX_LINE_CHARS) }, "an MCP server wrote to stderr");
    else if (lines === MAX_LINES_PER_MINUTE + 1)
      log.debug({}, "an MCP server writes much to stderr; more is left out for a minute");
  };
  stderr.setEncoding("utf8");
  stderr.on("data", (text: string) => {
    const found = (rest + text).split("\n");
    // A line without an end is kept only as far as it would be shown.
    rest = (found.pop() ?? "").slice(0, MAX_LINE_CHARS);
    for (const line of found) if (line.trim() !== "") write(line);
  });
  stderr.on("end", () => {
    if (rest.trim() !== "") write(rest);
  });
}
