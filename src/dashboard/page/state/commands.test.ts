import { expect, test } from "vitest";
import { clearsHistory, isControl } from "../../../agent/command-text.ts";
import { findCommand } from "../../../agent/commands.ts";

const { COMMANDS, hintsFor, runsBeside } = await import(new URL("./commands.js", import.meta.url).href);
const names: string[] = COMMANDS.map((command: { name: string }) => command.name);

test("every command that is offered is one the bot knows", () => {
  const unknown = names.filter((name) => findCommand(name) === undefined && !clearsHistory(`/${name}`));
  expect(unknown).toEqual([]);
});

test.each([
  ["/", names],
  ["/st", ["stop", "status"]],
  ["/ST", ["stop", "status"]],
  ["/help", ["help"]],
  ["/help ", []],
  ["/queue collect", []],
  ["/nosuch", []],
  ["help", []],
  [" /help", []],
  ["", []],
])("%j offers %j", (typed, offered) => {
  expect(hintsFor(typed).map((command: { name: string }) => command.name)).toEqual(offered);
});

test.each([
  "/help",
  "/stop",
  " /stop now",
  "/new",
  "/reset",
  "/privacy",
  "/privacy export",
  "/privacy forget",
  "/Privacy  FORGET ",
  "/privacy forget me",
  "/nosuch",
  "/etc/passwd",
  "hello /help",
  "/",
  "/Help\nme",
])("%j is answered beside the conversation here exactly when it is there", (text) => {
  expect(runsBeside(text)).toBe(isControl(text));
});
