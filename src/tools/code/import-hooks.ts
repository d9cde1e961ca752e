import { registerHooks } from "node:module";

/** The end of the address of every file that is imported anew: Node keeps a module under its address for ever. */
export function versionMarker(version: number): string {
  return `?parley=${version}`;
}

/**
 * Changes how this thread resolves imports. `#parley/tools` leads to `toolsUrl` from any folder, and what a versioned
 * file imports from `folderUrl` is imported in the same version. The caller ends it with `stop`.
 */
export function hookImports(options: { readonly folderUrl: () => string; readonly toolsUrl: string }): {
  stop(): void;
} {
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === "#parley/tools") return { url: options.toolsUrl, shortCircuit: true };
      const resolved = nextResolve(specifier, context);
      if (!resolved.url.startsWith(options.folderUrl()) || resolved.url.includes("/node_modules/")) return resolved;
      const version = versionOf(resolved.url) ?? versionOf(context.parentURL);
      if (version === undefined) return resolved;
      const url = versionOf(resolved.url) === undefined ? resolved.url + version : resolved.url;
      // Outside of a package Node guesses the format, and says so on the terminal.
      return /\.ts\?/.test(url) ? { ...resolved, url, format: "module-typescript" } : { ...resolved, url };
    },
  });
  return { stop: () => hooks.deregister() };
}

function versionOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : /\?parley=\d+$/.exec(url)?.[0];
}
