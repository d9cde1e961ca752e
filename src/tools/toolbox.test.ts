import { expect, test } from "vitest";
import { z } from "zod";
import { InvalidInput } from "../kernel/errors.ts";
import { defineTool } from "./define.ts";
import { createToolbox } from "./toolbox.ts";

test("tools are listed in their order and found by name", () => {
  const tools = ["b", "a.x", "c"].map(tool);
  const toolbox = createToolbox(tools);
  expect(toolbox.list()).toEqual(tools);
  expect(toolbox.find("a.x")).toBe(tools[1]);
});

test("a tool with a dot is found by the name the model sees", () => {
  expect(createToolbox([tool("shop.buy")]).find("shop_buy")?.name).toBe("shop.buy");
});

test.each(["shop.buy", "SHOP_BUY", "", "__proto__", "constructor"])(
  "%j finds nothing when no tool has that name",
  (name) => {
    expect(createToolbox([tool("shop_buy")]).find(name)).toBeUndefined();
  },
);

test.each(["", " ", "two words", "ümlaut", "a/b", "x".repeat(65)])("the name %j is refused", (name) => {
  expect(() => createToolbox([tool(name)])).toThrow(InvalidInput);
});

test.each([
  { names: ["a", "a"], says: 'Two tools are named "a"' },
  { names: ["a.b", "a_b"], says: 'Tools "a.b" and "a_b" have the same name for the model: "a_b"' },
  { names: ["a_b", "a.b"], says: 'Tools "a_b" and "a.b" have the same name for the model: "a_b"' },
])("$names together are refused", ({ names, says }) => {
  expect(() => createToolbox(names.map(tool))).toThrow(says);
});

function tool(name: string) {
  return defineTool({ name, description: "", effect: "read", input: z.object({}), run: () => "" });
}
