import { describe, expect, test } from "vitest";
import { mentioned, readCommand, readSlashCommand, readText } from "./text.ts";

const reading = { self: "UBOT", nameOf: (user: string) => (user === "U1" ? "Ana" : undefined) };

describe("readText", () => {
  test.each([
    ["plain words", "plain words"],
    ["a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"],
    ["&amp;lt; stays what was typed", "&lt; stays what was typed"],
    ["<@UBOT> hello", "hello"],
    ["<@UBOT>, hello", "hello"],
    ["<@UBOT>: hello", "hello"],
    ["hello <@UBOT>", "hello"],
    ["hey <@UBOT> hello", "hey hello"],
    ["<@UBOT|parley> hello", "hello"],
    ["<@UBOT>", ""],
    ["ask <@U1> and <@U2> and <@U3|carl>", "ask @Ana and @U2 and @carl"],
    ["see <#C1|general> or <#C2> or <#C3|>", "see #general or #C2 or #C3"],
    ["<!here> <!channel> <!subteam^S1|@team> <!subteam^S2>", "@here @channel @team @subteam"],
    ["<!date^1700000000^{date}|Nov 14>", "Nov 14"],
    ["<https://example.com/a?b=1&amp;c=2>", "https://example.com/a?b=1&c=2"],
    ["<https://example.com|our site>", "our site (https://example.com)"],
    ["<http://example.com|example.com>", "http://example.com"],
    ["<mailto:a@example.com|a@example.com> <tel:+123|call>", "a@example.com call (+123)"],
    ["if a < b then > c", "if a < b then > c"],
  ])("%s -> %s", (raw, text) => {
    expect(readText(raw, reading)).toBe(text);
  });
});

describe("readCommand", () => {
  test.each([
    ["!stop", false, "!stop"],
    ["stop", true, "/stop"],
    ["Status", true, "/status"],
    ["new", true, "/new"],
    ["help", true, "/help"],
    ["stop it", true, "stop it"],
    ["reset", true, "reset"],
    ["stop", false, "stop"],
    ["/stop", false, "/stop"],
  ])("%s, mention %s -> %s", (text, mention, command) => {
    expect(readCommand(text, mention)).toBe(command);
  });
});

test.each([
  ["stop", "/stop"],
  ["/stop", "/stop"],
  ["!stop", "/stop"],
  ["  queue collect ", "/queue collect"],
  ["", "/help"],
])("/parley %s is %s", (text, command) => {
  expect(readSlashCommand(text)).toBe(command);
});

test("mentioned gives everybody who is called", () => {
  expect(mentioned("<@U1> and <@W2|bo> and <#C1> and &lt;@U3&gt;")).toEqual(["U1", "W2"]);
});
