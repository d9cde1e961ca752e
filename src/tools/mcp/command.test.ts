import { expect, test } from "vitest";
import { parseMcpCommand } from "./command.ts";

test.each([
  { rest: "", command: { do: "list" } },
  { rest: " list ", command: { do: "list" } },
  { rest: "add https://a.example/mcp", command: { do: "add", url: "https://a.example/mcp" } },
  {
    rest: "add https://a.example as team token t-1",
    command: { do: "add", url: "https://a.example", name: "team", token: "t-1" },
  },
  {
    rest: "add https://a.example token t as team",
    command: { do: "add", url: "https://a.example", name: "team", token: "t" },
  },
  { rest: "remove team", command: { do: "remove", name: "team" } },
  { rest: "tools team", command: { do: "tools", name: "team" } },
  {
    rest: "finish https://b.example/?code=1&state=2",
    command: { do: "finish", address: "https://b.example/?code=1&state=2" },
  },
  ...[
    "help",
    "add",
    "add a as",
    "add a called b",
    "remove",
    "remove a b",
    "tools",
    "finish",
    "finish a b",
    "list all",
    "x y",
  ].map((rest) => ({ rest, command: { do: "help" } })),
])("/mcp $rest is understood as $command.do", ({ rest, command }) => {
  expect(parseMcpCommand(rest)).toEqual(command);
});
