import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { watchFolder, type FileContent, type FolderContent } from "../watch-folder.ts";
import { hookImports, versionMarker } from "./import-hooks.ts";
import { loadFiles, type LoadedItems } from "./load-files.ts";

/** How files are watched and imported. */
export interface CodeFileOptions {
  readonly dir: string;
  /** How long one file may take to be imported; 10 s unless told otherwise. */
  readonly importMs?: number;
  /** As for `watchFolder`. */
  readonly debounceMs?: number;
  readonly pollMs?: number;
  /** Imports a module by its address; Node's own `import` unless given. */
  readonly importModule?: (url: string) => Promise<unknown>;
}

/** What is looked for in the files. */
export interface CodeFileKind<Item> {
  /** Where the imports of the authors lead, by what they write: `#parley/tools`. */
  readonly imports: Readonly<Record<string, string>>;
  /** The items among the exports of a module. */
  readonly pick: (module: unknown) => readonly Item[];
  /** What is wrong with a file without any. */
  readonly none: string;
  /** Called after each change with what is in use now, and what is wrong, in sentences. Must not throw. */
  readonly onChange: (files: readonly CodeFile<Item>[], problems: readonly string[]) => void;
}

/** What is in use of one file; the name begins with the folder's. */
export type CodeFile<Item> = readonly [file: string, items: readonly Item[]];

/** Files that are loaded and watched. */
export interface CodeFiles {
  /** Looks for changed files now. */
  check(): Promise<void>;
  /** Abandons what is being loaded and watches no more. */
  close(): Promise<void>;
}

/**
 * Loads the TypeScript files of a folder, and again when they change. One that cannot be loaded is named in the
 * problems, and its last good version stays in use. Settles when all files have been tried.
 */
export async function createCodeFiles<Item>(options: CodeFileOptions, kind: CodeFileKind<Item>): Promise<CodeFiles> {
  const { dir, importMs = 10_000, importModule = (url: string): Promise<unknown> => import(url) } = options;
  const label = basename(resolve(dir));
  const closing = new AbortController();
  let files: ReadonlyMap<string, KnownFile<Item>> = new Map();
  let folderUrl = "";
  let version = 0;
  const hooks = hookImports({ folderUrl: () => folderUrl, imports: kind.imports });
  const inUse = () => [...files].map(([name, file]): CodeFile<Item> => [`${label}/${name}`, file.items]);

  const change = async (content: FolderContent): Promise<void> => {
    if ("problem" in content)
      return kind.onChange(inUse(), [`${label}: ${content.problem}; what was loaded before stays in use`]);
    folderUrl = await addressOf(dir);
    const wanted = withPrints(content.files);
    const changed = wanted.filter(({ name, print }) => files.get(name)?.print !== print);
    const loaded = await load(changed);
    if (closing.signal.aborted) return;
    files = new Map(wanted.map(({ name, print }) => [name, follow(files.get(name), print, loaded.get(name))]));
    kind.onChange(
      inUse(),
      [...files.values()].flatMap((file) => describeProblem(label, file)),
    );
  };

  const load = async (changed: readonly PrintedFile[]): Promise<ReadonlyMap<string, LoadedItems<Item>>> => {
    const unreadable = changed.flatMap(({ name, content }): [string, LoadedItems<Item>][] =>
      "problem" in content ? [[name, { problem: `${name}: ${content.problem}` }]] : [],
    );
    const readable = changed.filter(({ content }) => "text" in content).map(({ name }) => name);
    version += 1;
    const trial = { folderUrl, imports: kind.imports, marker: versionMarker(version), files: readable };
    const loaded = await loadFiles(trial, { ...kind, importMs, importModule, signal: closing.signal });
    return new Map([...unreadable, ...loaded]);
  };

  const watching = await watchFolder({ ...options, accepts: isModule, onChange: change });
  return {
    check: () => watching.check(),
    close: async () => {
      closing.abort();
      await watching.close();
      hooks.stop();
    },
  };
}

/** What is known of one file. */
interface KnownFile<Item> {
  readonly print: string;
  /** Of the last version that could be loaded. */
  readonly items: readonly Item[];
  readonly problem?: string;
}

interface PrintedFile {
  readonly name: string;
  readonly content: FileContent;
  /** Equal when neither the file nor what it may import from the folder changed. */
  readonly print: string;
}

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

function follow<Item>(
  before: KnownFile<Item> | undefined,
  print: string,
  loaded: LoadedItems<Item> | undefined,
): KnownFile<Item> {
  if (loaded === undefined) return before ?? { print, items: [] };
  return "items" in loaded
    ? { print, items: loaded.items }
    : { print, items: before?.items ?? [], problem: loaded.problem };
}

function describeProblem(label: string, { items, problem }: KnownFile<unknown>): string[] {
  if (problem === undefined) return [];
  return [`${label}/${problem}${items.length > 0 ? "; its last good version stays in use" : ""}`];
}
