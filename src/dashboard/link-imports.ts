/**
 * A module's text with the names of libraries it imports replaced by their addresses; everything else stays as it is.
 * Browsers know no names: the other way to teach them, an import map, is an inline script and would have to be let
 * through the page's security policy. Pure.
 */
export function linkImports(source: string, addresses: ReadonlyMap<string, string>): string {
  return source.replace(IMPORT, (whole, before: string, quote: string, name: string) => {
    const address = addresses.get(name);
    return address === undefined ? whole : `${before}${quote}${address}${quote}`;
  });
}

// `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`, also as minifiers write them.
const IMPORT = /(\b(?:from|import)\s*\(?\s*)(["'])([\w@][\w@./-]*)\2/g;
