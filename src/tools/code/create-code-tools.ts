import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Log } from "../../kernel/ports.ts";
import type { Tool } from "../contract.ts";
import { distinctTools } from "../distinct-tools.ts";
import { createPublishedTools } from "../published-tools.ts";
import type { ToolSource } from "../source.ts";
import { watchFolder, type FileContent, type FolderContent } from "../watch-folder.ts";
import { hookImports, versionMarker } from "./import-hooks.ts";
import { loadFiles, type LoadedTools } from "./load-files.ts";

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
  let files: ReadonlyMap<string, KnownFile> = new Map();
  let folderUrl = "";
  let version = 0;
  const hooks = hookImports({ folderUrl: () => folderUrl, toolsUrl: TOOLS_URL });

  const change = async (content: FolderContent): Promise<void> => {
    if ("problem" in content) {
      const problem = `${label}: ${content.problem}; what was loaded before stays in use`;
      return published.publish(published.tools(), [problem]);
    }
    folderUrl = await addressOf(dir);
    const wanted = withPrints(content.files);
    const changed = wanted.filter(({ name, print }) => files.get(name)?.print !== print);
    const loaded = await load(changed);
    if (closing.signal.aborted) return;
    files = new Map(wanted.map(({ name, print }) => [name, follow(files.get(name), print, loaded.get(name))]));
    const distinct = distinctTools([...files].map(([name, file]) => [`${label}/${name}`, file.tools]));
    published.publish(distinct.tools, [
      ...[...files.values()].flatMap((file) => describeProblem(label, file)),
      ...distinct.problems,
    ]);
  };

  const load = async (changed: readonly PrintedFile[]): Promise<ReadonlyMap<string, LoadedTools>> => {
    const unreadable = changed.flatMap(({ name, content }): [string, LoadedTools][] =>
      "problem" in content ? [[name, { problem: `${name}: ${content.problem}` }]] : [],
    );
    const readable = changed.filter(({ content }) => "text" in content).map(({ name }) => name);
    version += 1;
    const trial = { folderUrl, toolsUrl: TOOLS_URL, marker: versionMarker(version), files: readable };
    return new Map([...unreadable, ...(await loadFiles(trial, { importMs, importModule, signal: closing.signal }))]);
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
interface KnownFile {
  readonly print: string;
  /** Of the last version that could be loaded. */
  readonly tools: readonly Tool[];
  readonly problem?: string;
}

interface PrintedFile {
  readonly name: string;
  readonly content: FileContent;
  /** Equal when neither the file nor what it may import from the folder changed. */
  readonly print: string;
}

const TOOLS_URL = new URL("../public.ts", import.meta.url).href;

function isModule(name: string): boolean {
  return name.endsWith(".ts") && !name.endsWith(".d.ts") && !name.endsWith(".test.ts") && !name.startsWith(".");
}

/** The files to load. One whose name begins with "_" is there for others to import, and a change of it is one of all. */
function withPrints(files: ReadonlyMap<string, FileContent>): PrintedFile[] {
  const shared = [...files].filter(([name]) => name.startsWith("_"));
  return [...files]
    .filter(([name]) => !name.startsWith("_"))
    .map(([name, content]) => {
      const print = createHash("sha256")
        .update(JSON.stringify([content, shared]))
        .digest("hex");
      return { name, content, print };
    });
}

// Node imports a file under its real path, and the hooks compare addresses.
async function addressOf(dir: string): Promise<string> {
  const real = await realpath(dir).catch(() => resolve(dir));
  return `${pathToFileURL(real).href}/`;
}

function follow(before: KnownFile | undefined, print: string, loaded: LoadedTools | undefined): KnownFile {
  if (loaded === undefined) return before ?? { print, tools: [] };
  return "tools" in loaded
    ? { print, tools: loaded.tools }
    : { print, tools: before?.tools ?? [], problem: loaded.problem };
}

function describeProblem(label: string, { tools, problem }: KnownFile): string[] {
  if (problem === undefined) return [];
  return [`${label}/${problem}${tools.length > 0 ? "; its last good version stays in use" : ""}`];
}
