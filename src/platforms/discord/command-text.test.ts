import { ApplicationCommandOptionType as Type } from "discord.js";
import { expect, test } from "vitest";
import { commandDefinitions } from "./command-list.ts";
import { commandText } from "./command-text.ts";

const text = (name: string, value: string) => ({ type: Type.String as number, name, value });
const sub = (name: string, ...options: ReturnType<typeof text>[]) => ({
  type: Type.Subcommand as number,
  name,
  options,
});

test.each([
  ["status", [], "/status"],
  ["help", [text("command", "queue")], "/help queue"],
  ["queue", [text("mode", "steer")], "/queue steer"],
  ["link", [text("code", "remove slack:U1")], "/link remove slack:U1"],
  ["privacy", [text("what", "export")], "/privacy export"],
  ["schedule", [sub("list")], "/schedule list"],
  [
    "schedule",
    [sub("add", text("when", "weekdays at 9am"), text("what", "sum up my mail"))],
    "/schedule add weekdays at 9am | sum up my mail",
  ],
  ["schedule", [sub("edit", text("id", "s1"), text("when", "every 15m"))], "/schedule edit s1 every 15m"],
  ["schedule", [sub("edit", text("id", "s1"), text("what", "nothing"))], "/schedule edit s1 | nothing"],
  [
    "schedule",
    [sub("edit", text("id", "s1"), text("when", "daily"), text("what", " x "))],
    "/schedule edit s1 daily | x",
  ],
  ["schedule", [sub("delete", text("id", "s1"))], "/schedule delete s1"],
])("/%s %j is written %j", (name, options, expected) => {
  expect(commandText({ name, options })).toBe(expected);
});

test("there is a slash command for everything that people can ask", () => {
  expect(commandDefinitions().map(({ name }) => name)).toEqual([
    "help",
    "new",
    "reset",
    "stop",
    "status",
    "tools",
    "memory",
    "queue",
    "debug",
    "where",
    "model",
    "privacy",
    "link",
    "usage",
    "approve",
    "deny",
    "schedule",
  ]);
  const schedule = commandDefinitions().find(({ name }) => name === "schedule");
  expect(schedule?.options?.map(({ name }) => name)).toEqual([
    "add",
    "list",
    "show",
    "run",
    "pause",
    "resume",
    "edit",
    "delete",
    "history",
    "zone",
  ]);
});
