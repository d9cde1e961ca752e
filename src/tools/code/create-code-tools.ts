import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { OutsideError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import type { Tool } from "../contract.ts";
import { withDeadline } from "../deadline.ts";
import { distinctTools } from "../distinct-tools.ts";
import { createPublishedTools } from "../published-tools.ts";
import type { ToolSource } from "../source.ts";
import { watchFolder, type FileContent, type FolderContent } from "../watch-folder.ts";
import { exportedTools } from "./exported-tools.ts";
import { describeImportFailure } from "./import-failure.ts";
import { hookImports, versionMarker } from "./import-hooks.ts";
import { tryFiles } from "./trial.ts";

/**
 * The tools in the TypeScript files of a folder, the same for everyone. Changed files are loaded again; one that cannot
 * be loaded is named in `problems`, and its last good version stays in use. Settles when all files have been tried.
 */
export async function createCodeTools(options: {
  readonly dir: string;
  readonly log: Log;
  /** How long one file may take to be imported; 10 s unless told otherwise. */
  readonly importMs?: number;
  /** As for `watchFolder`. */
  readonly debounceMs?: number;
  readonly pollMs?: number;
  /** Imports a module by its address; Node's own `import` unless given. */
  readonly importModule?: (url: string) => Promise<unknown>;
}): Promise<ToolSource & { /** Looks for changed files now. */ check(): Promise<void> }> {
  const { dir, log, importMs = 10_000, importModule = (url: string): Promise<unknown> => import(url) } = options;
  const label = basename(resolve(dir));
  const closing = new AbortController();
  const published = createPublishedTools(log);
  const files = new Map<string, LoadedFile>();
  let folderUrl = "";
  let version = 0;
  const hooks = hookImports({ folderUrl: () => folderUrl, toolsUrl: TOOLS_URL });

  const change = async (content: FolderContent): Promise<void> => {
    if ("problem" in content) {
      return published.publish(published.tools(), [
        `${label}: ${content.problem}; what was loaded before stays in use`,
      ]);
    }
    folderUrl = await addressOf(dir);
    const wanted = new Map([...content.files].filter(([name]) => !isHelper(name)));
    const shared = [...content.files].filter(([name]) => isHelper(name));
    for (const name of files.keys()) if (!wanted.has(name)) files.delete(name);
    const changed = [...wanted].filter(([name, file]) => files.get(name)?.print !== printOf(file, shared));
    const loaded = await load(changed);
    if (closing.signal.aborted) return;
    for (const [name, file] of changed) {
      const outcome = loaded.get(name) ?? { problem: `${name}: was not loaded` };
      const before = files.get(name)?.tools ?? [];
      files.set(name, { print: printOf(file, shared), tools: before, ...outcome });
    }
    const names = [...wanted.keys()];
    const distinct = distinctTools(names.map((name) => [`${label}/${name}`, files.get(name)?.tools ?? []]));
    published.publish(distinct.tools, [
      ...names.flatMap((name) => describeProblem(label, files.get(name))),
      ...distinct.problems,
    ]);
  };

  const load = async (changed: readonly (readonly [string, FileContent])[]): Promise<ReadonlyMap<string, Outcome>> => {
    const unreadable = changed.flatMap(([name, file]): [string, Outcome][] =>
      "problem" in file ? [[name, { problem: `${name}: ${file.problem}` }]] : [],
    );
    const readable = changed.flatMap(([name, file]) => ("text" in file ? [name] : []));
    if (readable.length === 0) return new Map(unreadable);
    version += 1;
    const marker = versionMarker(version);
    const { signal } = closing;
    const trial = { folderUrl, toolsUrl: TOOLS_URL, marker, files: readable };
    const outcomes = new Map(unreadable);
    for (const { file, problem } of await tryFiles(trial, { importMs, signal })) {
      if (signal.aborted) break;
      outcomes.set(file, problem === undefined ? await importFile(file, marker) : { problem });
    }
    return outcomes;
  };

  const importFile = async (file: string, marker: string): Promise<Outcome> => {
    const late = () => new OutsideError(`was not imported within ${importMs / 1000} s`, { code: "timeout" });
    try {
      const url = folderUrl + encodeURIComponent(file) + marker;
      const module: unknown = await withDeadline({ ms: importMs, signal: closing.signal, late }, () =>
        importModule(url),
      );
      const found = exportedTools(module);
      return found.length > 0 ? { tools: found, problem: undefined } : { problem: `${file}: ${NO_TOOLS}` };
    } catch (error) {
      return { problem: describeImportFailure(error, file, marker) };
    }
  };

  const watching = await watchFolder({ ...options, accepts: isModule, onChange: change });
  return {
    toolsFor: () => Promise.resolve(published.tools()),
    problems: () => published.problems(),
    check: () => watching.check(),
    close: async () => {
      closing.abort();
      await watching.close();
      hooks.stop();
    },
  };
}

/** What is known of one file. */
interface LoadedFile {
  /** Equal when neither the file nor what it may import from the folder changed. */
  readonly print: string;
  /** Of the last version that could be loaded. */
  readonly tools: readonly Tool[];
  readonly problem?: string | undefined;
}

/** Without `tools` those from before stay. */
type Outcome = { readonly tools: readonly Tool[]; readonly problem: undefined } | { readonly problem: string };

const TOOLS_URL = new URL("../public.ts", import.meta.url).href;

const NO_TOOLS = "exports no tool; export what defineTool returns";

function isModule(name: string): boolean {
  return name.endsWith(".ts") && !name.endsWith(".d.ts") && !name.endsWith(".test.ts") && !name.startsWith(".");
}

// Shared by tool files and never loaded for itself.
function isHelper(name: string): boolean {
  return name.startsWith("_");
}

function printOf(file: FileContent, shared: readonly (readonly [string, FileContent])[]): string {
  return createHash("sha256")
    .update(JSON.stringify([file, shared]))
    .digest("hex");
}

// Node imports a file under its real path, and the hooks compare addresses.
async function addressOf(dir: string): Promise<string> {
  const real = await realpath(dir).catch(() => resolve(dir));
  return `${pathToFileURL(real).href}/`;
}

function describeProblem(label: string, file: LoadedFile | undefined): string[] {
  if (file?.problem === undefined) return [];
  const kept = file.tools.length > 0 ? "; its last good version stays in use" : "";
  return [`${label}/${file.problem}${kept}`];
}
