import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";
import { z } from "zod";

/**
 * The libraries the page imports by name, each with its file. All of them import one another by name only, so they can
 * be served under any path.
 */
export function findVendorModules(): ReadonlyMap<string, URL> {
  const signals = new URL(import.meta.resolve("@preact/signals"));
  return new Map([
    ["preact", new URL(import.meta.resolve("preact"))],
    ["preact/hooks", new URL(import.meta.resolve("preact/hooks"))],
    ["htm", new URL(import.meta.resolve("htm"))],
    ["htm/preact", new URL(import.meta.resolve("htm/preact"))],
    ["@preact/signals", signals],
    ["@preact/signals-core", findModuleOf(signals, "@preact/signals-core")],
    ["marked", new URL(import.meta.resolve("marked"))],
  ]);
}

const packageSchema = z.object({ exports: z.object({ ".": z.object({ import: z.string() }) }) });

/** A dependency's dependency is found from where it is used: nothing promises that it lies where we would find it. */
function findModuleOf(user: URL, name: string): URL {
  const manifest = findPackageJSON(name, user);
  if (manifest === undefined) throw new Error(`The package ${name}, which the page needs, is not installed`);
  const { exports } = packageSchema.parse(JSON.parse(readFileSync(manifest, "utf8")));
  return new URL(exports["."].import, pathToFileURL(manifest));
}
