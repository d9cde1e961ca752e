import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("the page's modules are free of type errors, and agree with the API about what it sends", () => {
  const args = [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", join(import.meta.dirname, "page/tsconfig.json")];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  expect(stdout).toBe("");
  expect(status).toBe(0);
}, 60_000);
