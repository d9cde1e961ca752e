import { expect, test } from "vitest";
import { clearsHistory, isControl, parseCommand } from "./command-text.ts";

test.each<{ text: string; name?: string; rest?: string; kind: "control" | "in turn" | "none" }>([
  { text: "/stop", name: "stop", rest: "", kind: "control" },
  { text: "  /Stop \n", name: "stop", rest: "", kind: "control" },
  { text: "/queue  collect ", name: "queue", rest: "collect", kind: "control" },
  { text: "/queue\ncollect\nnow", name: "queue", rest: "collect\nnow", kind: "control" },
  { text: "/whatever", name: "whatever", rest: "", kind: "control" },
  { text: "/new", name: "new", rest: "", kind: "in turn" },
  { text: "/RESET everything", name: "reset", rest: "everything", kind: "in turn" },
  { text: "/newer", name: "newer", rest: "", kind: "control" },
  { text: "", kind: "none" },
  { text: "/", kind: "none" },
  { text: "/ stop", kind: "none" },
  { text: "//stop", kind: "none" },
  { text: "/etc/passwd", kind: "none" },
  { text: "/2 of it", kind: "none" },
  { text: "please /stop", kind: "none" },
  { text: "stop", kind: "none" },
])("$text is a command: $kind", ({ text, name, rest, kind }) => {
  expect(parseCommand(text)).toEqual(name === undefined ? undefined : { name, rest });
  expect(isControl(text)).toBe(kind === "control");
  expect(clearsHistory(text)).toBe(kind === "in turn");
});

test("a very long text that is no command is seen as such at once", () => {
  const started = performance.now();
  expect(parseCommand(`/${"a".repeat(50_000)}${" ".repeat(50_000)}!`)?.rest).toBe("!");
  expect(parseCommand(`/${"a".repeat(50_000)}.${" ".repeat(50_000)}!`)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(5_000);
});
