import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";
import { z } from "zod";

/** A library the page imports by name. */
export interface VendorModule {
  readonly name: string;
  readonly fileName: string;
  readonly source: string;
}

/** Reads the libraries the page imports, and those they import. Throws when one is not installed. */
export function readVendorModules(): readonly VendorModule[] {
  const signals = import.meta.resolve("@preact/signals");
  const urls = {
    preact: import.meta.resolve("preact"),
    "preact/hooks": import.meta.resolve("preact/hooks"),
    htm: import.meta.resolve("htm"),
    "htm/preact": import.meta.resolve("htm/preact"),
    "@preact/signals": signals,
    "@preact/signals-core": findModuleOf(signals, "@preact/signals-core"),
    marked: import.meta.resolve("marked"),
  };
  return Object.entries(urls).map(([name, url]) => ({
    name,
    fileName: `${name.replaceAll(/[@/]/g, "-").replace(/^-/, "")}.js`,
    source: withoutMap(readFileSync(new URL(url), "utf8")),
  }));
}

const packageSchema = z.object({ exports: z.object({ ".": z.object({ import: z.string() }) }) });

/** A dependency's dependency is found from where it is used: nothing promises that it lies where we would find it. */
function findModuleOf(user: string, name: string): string {
  const manifest = findPackageJSON(name, user);
  if (manifest === undefined) throw new Error(`The package ${name}, which the page needs, is not installed`);
  const { exports } = packageSchema.parse(JSON.parse(readFileSync(manifest, "utf8")));
  return new URL(exports["."].import, pathToFileURL(manifest)).href;
}

/** Its source map is not served, so nothing should ask for it. */
function withoutMap(source: string): string {
  return source.replace(/^\/\/# sourceMappingURL=.*$/m, "");
}
