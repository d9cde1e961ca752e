import type { Tool as McpTool } from "@modelcontextprotocol/client";
import { describe, expect, test } from "vitest";
import { listTools, MAX_TOOLS, type ListingRules } from "./listed-tool.ts";

const RULES: ListingRules = { server: "files", tools: {}, approval: "never" };

function tool(name: string, more: Partial<McpTool> = {}): McpTool {
  return { name, inputSchema: { type: "object" }, ...more };
}

function only(definition: McpTool, rules: Partial<ListingRules> = {}) {
  return listTools([definition], false, { ...RULES, ...rules }).tools[0];
}

test.each([
  { hints: undefined, effect: "once" },
  { hints: {}, effect: "once" },
  { hints: { readOnlyHint: true }, effect: "read" },
  { hints: { readOnlyHint: true, idempotentHint: true }, effect: "read" },
  { hints: { readOnlyHint: false, idempotentHint: true }, effect: "idempotent" },
  { hints: { destructiveHint: false }, effect: "once" },
])("the hints $hints make the effect $effect", ({ hints, effect }) => {
  expect(only(tool("x", hints === undefined ? {} : { annotations: hints }))?.effect).toBe(effect);
});

test("an administrator's word counts more than the server's", () => {
  const hinted = tool("x", { annotations: { readOnlyHint: true } });
  expect(only(hinted, { tools: { x: { trusted: true, sends: false } } })).toMatchObject({
    trusted: true,
    sends: false,
  });
  expect(only(hinted, { tools: { x: { effect: "once", approval: "ask" } } })).toMatchObject({
    effect: "once",
    approval: "ask",
  });
  expect(only(hinted, { tools: { y: { effect: "once" } }, approval: "ask" })).toMatchObject({
    effect: "read",
    approval: "ask",
  });
});

describe("the description", () => {
  test.each([
    { given: { description: " Reads. " }, shown: "Reads." },
    { given: { title: "Read a file" }, shown: "Read a file" },
    { given: { annotations: { title: "Read" } }, shown: "Read" },
    { given: { description: " " }, shown: "x" },
    { given: { description: "a".repeat(2000) }, shown: `${"a".repeat(1023)}…` },
  ])("$given is shown as it should be", ({ given, shown }) => {
    expect(only(tool("x", given))?.description).toBe(shown);
  });
});

test("the schema reaches the model as it is, without its dialect and with properties in any case", () => {
  const inputSchema = {
    type: "object" as const,
    $schema: "https://x",
    properties: { a: { type: "number" } },
    $defs: {},
  };
  expect(only(tool("x", { inputSchema }))?.parameters).toEqual({
    type: "object",
    properties: { a: { type: "number" } },
    $defs: {},
  });
  expect(only(tool("x"))?.parameters).toEqual({ type: "object", properties: {} });
});

describe("what is left out is said", () => {
  test("beyond the hundredth tool", () => {
    const many = Array.from({ length: 103 }, (_, n) => tool(`t${n}`));
    const { tools, notes } = listTools(many, false, RULES);
    expect(tools).toHaveLength(MAX_TOOLS);
    expect(notes).toEqual(['"files" has 3 more tools; the first 100 are offered (choose others with "only")']);
    expect(listTools(many, true, RULES).notes[0]).toContain("more tools than are read");
    expect(listTools(many, false, { ...RULES, only: ["t102"] })).toMatchObject({
      tools: [{ name: "files.t102" }],
      notes: [],
    });
  });

  test("when a definition is too large, or all together are", () => {
    const properties = { a: { type: "string", description: "x".repeat(20_000) } };
    const large = tool("large", { inputSchema: { type: "object", properties } });
    const huge = tool("huge", { inputSchema: { type: "object", properties: { b: properties, c: properties } } });
    expect(listTools([huge, tool("small")], false, RULES)).toMatchObject({
      tools: [{ name: "files.small" }],
      notes: ['"files": too large to offer: "huge"'],
    });
    const many = Array.from({ length: 20 }, (_, n) => ({ ...large, name: `t${n}` }));
    const { tools, notes } = listTools(many, false, RULES);
    expect(tools.length).toBeLessThan(13);
    expect(notes).toEqual([expect.stringMatching(/^"files": too large to offer: "t1\d".* and \d more$/)]);
  });

  test("when a tool that was chosen is not there, or comes twice", () => {
    const twice = [tool("a", { title: "first" }), tool("a", { title: "second" })];
    expect(listTools(twice, false, { ...RULES, only: ["a", "b"] })).toMatchObject({
      tools: [{ description: "first" }],
      notes: ['"files" has no tool named "b"'],
    });
  });
});
