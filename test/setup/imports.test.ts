import { expect, test } from "vitest";
import { findCycle, parseImports } from "./imports.ts";

test.each([
  ['import { a } from "./a.ts";', ["./a.ts"]],
  ["import a, { type B } from './a.ts'", ["./a.ts"]],
  ['import type { A } from "./a.ts";', ["./a.ts"]],
  ['import * as all from "./a.ts";', ["./a.ts"]],
  ['import {\n  a,\n  b as c,\n} from "./a.ts";\nimport { d } from "./d.ts";', ["./a.ts", "./d.ts"]],
  ['import "./effect.ts";', ["./effect.ts"]],
  ['export { a } from "./a.ts";', ["./a.ts"]],
  ['export * from "./a.ts";', ["./a.ts"]],
  ['export type { A } from "./a.ts";', ["./a.ts"]],
  ['const a = await import("./a.ts");', ["./a.ts"]],
  ['type A = import("./a.ts").A;', ["./a.ts"]],
  ['export const from = 1;\nexport function f(x: string) { return x; }\nimport { a } from "./a.ts";', ["./a.ts"]],
  ['// import { a } from "./a.ts";', []],
  ['/* import "./a.ts"; */', []],
  ['const text = `import "./a.ts"`;', []],
  ["const text = 'import \"./a.ts\"';", []],
  ['const quote = /["\'`]/; import { a } from "./a.ts";', ["./a.ts"]],
  ['f(/\\/\\*/, /[/"]/); import { a } from "./a.ts";', ["./a.ts"]],
  ['const half = a / 2; const b = "x / y"; import { a } from "./a.ts";', ["./a.ts"]],
  ['const url = "http://x"; import { a } from "./a.ts";', ["./a.ts"]],
])("the imports of %j", (source, expected) => {
  expect(parseImports(source)).toEqual(expected);
});

test.each([
  [{ a: ["b"], b: ["c"], c: [] }, undefined],
  [{ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, undefined],
  [{ a: ["b"], b: ["c"], c: ["b"] }, ["b", "c", "b"]],
  [{ a: ["a"] }, ["a", "a"]],
])("the circle in %j is %j", (graph, expected) => {
  expect(findCycle(new Map(Object.entries(graph)))).toEqual(expected);
});
