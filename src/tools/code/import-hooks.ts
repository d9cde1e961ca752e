import { registerHooks } from "node:module";

/** The end of the address of every file that is imported anew: Node keeps a module under its address for ever. */
export function versionMarker(version: number): string {
  return `?parley=${version}`;
}

/**
 * Changes how this thread resolves imports. What `imports` names leads where it says from any folder, and what a versioned
 * file imports from `folderUrl` is imported in the same version. The caller ends it with `stop`.
 */
export function hookImports(options: {
  readonly folderUrl: () => string;
  readonly imports: Readonly<Record<string, string>>;
}): {
  stop(): void;
} {
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const shared = options.imports[specifier];
      if (shared !== undefined) return { url: shared, shortCircuit: true };
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
