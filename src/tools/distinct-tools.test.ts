import { expect, test } from "vitest";
import { z } from "zod";
import { defineTool } from "./define.ts";
import { distinctTools } from "./distinct-tools.ts";

test.each([
  { files: { a: ["x", "y"], b: ["z"] }, kept: ["x", "y", "z"], problems: [] },
  {
    files: { a: ["x"], b: ["x", "y"] },
    kept: ["x", "y"],
    problems: ['b: the tool "x" is left out: a has one of that name'],
  },
  { files: { a: ["x", "x"] }, kept: ["x"], problems: ['a: the tool "x" is left out: a has one of that name'] },
  {
    files: { a: ["x.y"], b: ["x_y"] },
    kept: ["x.y"],
    problems: ['b: the tool "x_y" is left out: models could not tell it from "x.y" in a'],
  },
  {
    files: { a: ["two words", "x"] },
    kept: ["x"],
    problems: ['a: Tool name "two words" must be 1 to 64 letters, digits, "_", "." or "-"'],
  },
  { files: {}, kept: [], problems: [] },
])("of $files the tools $kept are kept", ({ files, kept, problems }) => {
  const found = distinctTools(Object.entries<string[]>(files).map(([file, names]) => [file, names.map(tool)]));
  expect(found.tools.map(({ name }) => name)).toEqual(kept);
  expect(found.problems).toEqual(problems);
});

function tool(name: string) {
  return defineTool({ name, description: "", effect: "read", input: z.object({}), run: () => "" });
}
