import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { findCycle, parseImports } from "./setup/imports.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** The files that lie in `src` itself: they put the parts together. */
const PROGRAM = "(program)";

/** What each folder of `src` may import besides itself; `*` is everything. Type-only imports count. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  [PROGRAM]: ["*"],
  kernel: [],
  config: ["kernel"],
  store: ["kernel"],
  engine: ["kernel", "store"],
  models: ["kernel"],
  tools: ["kernel", "store"],
  files: ["kernel", "tools", "models"],
  budget: ["kernel", "store"],
  hooks: ["kernel", "models", "tools"],
  agent: ["kernel", "engine", "models", "tools", "hooks", "store", "config", "files"],
  workflow: ["kernel", "engine", "models", "tools"],
  schedule: ["kernel", "store", "engine"],
  platforms: ["kernel"],
  gateway: ["kernel", "agent", "store", "platforms/contract.ts", "platforms/listening.ts"],
  delivery: ["kernel", "engine", "platforms/contract.ts", "store"],
  telemetry: ["kernel"],
  api: ["kernel", "engine", "agent", "store", "telemetry", "platforms", "config", "tools"],
  dashboard: ["api/contract.ts"],
  cli: ["*"],
};

/** Every one of these is there from the start; a folder of `src` that is not in the table above is refused. */
const TOP_LEVEL = ["bin", "config", "src", "test", "bench", "docs", "src/platforms", "src/agent", "src/tools"];

interface Module {
  /** Relative to `src`, for instance `store/keys.ts`. */
  readonly path: string;
  readonly imports: readonly string[];
}

const modules = readModules();
const production = modules.filter(({ path }) => !path.endsWith(".test.ts"));

test("every TypeScript file of src was read", () => {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  expect(modules).toHaveLength(files.filter((file) => file.endsWith(".ts")).length);
  expect(modules.length).toBeGreaterThan(0);
});

test.each(TOP_LEVEL)("the folder %s exists", (folder) => {
  expect(existsSync(join(ROOT, folder))).toBe(true);
});

test("src holds only folders that the table knows", () => {
  const known = new Set(Object.keys(MAY_IMPORT));
  expect(modules.map(({ path }) => top(path)).filter((folder) => !known.has(folder))).toEqual([]);
});

test("main.ts is where the program begins, and nothing imports it", () => {
  expect(production.filter(({ imports }) => imports.includes("main.ts")).map(({ path }) => path)).toEqual([]);
});

test("no module imports from a folder it must not know", () => {
  expect(production.flatMap(violations)).toEqual([]);
});

test("every imported module of ours exists, and none lies outside src", () => {
  const missing = production.flatMap(({ path, imports }) =>
    imports
      .filter((target) => target.startsWith("../") || !existsSync(join(ROOT, "src", target)))
      .map((target) => `${path} imports ${target}`),
  );
  expect(missing).toEqual([]);
});

test("modules do not import each other in a circle", () => {
  expect(findCycle(new Map(production.map(({ path, imports }) => [path, imports])))).toBeUndefined();
});

function readModules(): Module[] {
  const src = join(ROOT, "src");
  return walk(src).map((file) => ({
    path: relative(src, file),
    imports: parseImports(readFileSync(file, "utf8"))
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => relative(src, resolve(dirname(file), specifier))),
  }));
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

function violations({ path, imports }: Module): string[] {
  const own = top(path);
  const allowed = MAY_IMPORT[own] ?? [];
  return imports
    .filter((target) => top(target) !== own && !allowed.includes("*"))
    .filter((target) => !allowed.some((entry) => (entry.endsWith(".ts") ? target === entry : top(target) === entry)))
    .map((target) => `${path} must not import ${target}`);
}

function top(path: string): string {
  const [folder, ...rest] = path.split("/");
  return folder === undefined || rest.length === 0 ? PROGRAM : folder;
}
