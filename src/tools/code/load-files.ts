import { OutsideError } from "../../kernel/errors.ts";
import { withDeadline } from "../deadline.ts";
import { describeImportFailure } from "./import-failure.ts";
import { tryFiles, type Trial } from "./trial.ts";

/** What a file gives, or why it gives nothing, in a sentence that begins with the file. */
export type LoadedItems<Item> = { readonly items: readonly Item[] } | { readonly problem: string };

/** How files are imported and what is looked for in them. */
export interface LoadOptions<Item> {
  readonly importMs: number;
  readonly signal: AbortSignal;
  readonly importModule: (url: string) => Promise<unknown>;
  readonly pick: (module: unknown) => readonly Item[];
  /** What is wrong with a file without any. */
  readonly none: string;
}

/**
 * Imports files, each on trial first. Gives an outcome for each file by name, and fewer only when `signal` aborts. Never
 * throws, and takes no longer than `importMs` twice over for one file.
 */
export async function loadFiles<Item>(
  trial: Trial,
  options: LoadOptions<Item>,
): Promise<ReadonlyMap<string, LoadedItems<Item>>> {
  const outcomes = new Map<string, LoadedItems<Item>>();
  for (const { file, problem } of await tryFiles(trial, options)) {
    if (options.signal.aborted) break;
    outcomes.set(file, problem === undefined ? await importFile(file, trial, options) : { problem });
  }
  return outcomes;
}

async function importFile<Item>(
  file: string,
  { folderUrl, marker }: Trial,
  { importMs, signal, importModule, pick, none }: LoadOptions<Item>,
): Promise<LoadedItems<Item>> {
  const late = () => new OutsideError(`was not imported within ${importMs / 1000} s`, { code: "timeout" });
  try {
    const url = folderUrl + encodeURIComponent(file) + marker;
    const module: unknown = await withDeadline({ ms: importMs, signal, late }, () => importModule(url));
    const items = pick(module);
    return items.length > 0 ? { items } : { problem: `${file}: ${none}` };
  } catch (error) {
    return { problem: describeImportFailure(error, file, marker) };
  }
}
