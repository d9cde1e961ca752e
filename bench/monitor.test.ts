import { expect, test } from "vitest";
import { parseMonitorLine } from "./monitor.ts";

const HEAD = "+1700000000.123456 [0 unix:/tmp/redis.sock]";
const bytes = (...texts: string[]) => texts.map((text) => Buffer.from(text, "latin1"));

test.each([
  ["a command's name is small", `${HEAD} "RPUSHX" "{p0}c:chat/a" "line"`, "rpushx", bytes("{p0}c:chat/a", "line")],
  ["no arguments", `${HEAD} "ping"`, "ping", []],
  ["an empty argument", `${HEAD} "set" "k" ""`, "set", bytes("k", "")],
  ["quotes and backslashes", `${HEAD} "echo" "say \\"a\\\\\\" b"`, "echo", bytes('say "a\\" b')],
  ["control characters", `${HEAD} "echo" "\\r\\n\\t\\a\\b"`, "echo", bytes("\r\n\t\x07\b")],
  ["bytes that are no text", `${HEAD} "echo" "\\x00\\xff\\xc3\\xa9"`, "echo", bytes("\x00\xff\xc3\xa9")],
])("a line of MONITOR with %s is read", (_what, line, name, args) => {
  expect(parseMonitorLine(line)).toEqual({ name, args });
});

test.each([
  ["what a script does inside", `+1700000000.123456 [0 lua] "get" "k"`],
  ["the greeting", "+OK"],
  ["the end of the stream", ""],
])("%s is no command of a client", (_what, line) => {
  expect(parseMonitorLine(line)).toBeUndefined();
});
