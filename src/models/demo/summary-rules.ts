import { say, type Move } from "./move.ts";
import { textOf, type DemoRequest } from "./protocol.ts";

const MAX_LINES = 12;
const MAX_CHARS = 100;

/** The demo model's running summary: the newest things people said, shortened. No label: nobody is shown it. */
export function summarise(request: DemoRequest): Move {
  const asked = request.messages.findLast(({ role }) => role === "user");
  const lines = (asked === undefined ? "" : textOf(asked))
    .split("\n")
    .filter((line) => /^[^\s(:][^:]{0,80}: \S/.test(line) && !line.startsWith("Assistant: "))
    .map((line) => (line.length <= MAX_CHARS ? line : `${line.slice(0, MAX_CHARS - 1).toWellFormed()}…`));
  return say(lines.length === 0 ? "Nothing was said that matters later." : lines.slice(-MAX_LINES).join("\n"));
}
