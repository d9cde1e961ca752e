import { OutsideError } from "../../kernel/errors.ts";
import type { Tool } from "../contract.ts";
import { withDeadline } from "../deadline.ts";
import { exportedTools } from "./exported-tools.ts";
import { describeImportFailure } from "./import-failure.ts";
import { tryFiles, type Trial } from "./trial.ts";

/** The tools of a file, or why there are none, in a sentence that begins with the file. */
export type LoadedTools = { readonly tools: readonly Tool[] } | { readonly problem: string };

/**
 * Imports files, each on trial first. Gives an outcome for each file by name, and fewer only when `signal` aborts. Never
 * throws, and takes no longer than `importMs` twice over for one file.
 */
export async function loadFiles(
  trial: Trial,
  options: {
    readonly importMs: number;
    readonly signal: AbortSignal;
    readonly importModule: (url: string) => Promise<unknown>;
  },
): Promise<ReadonlyMap<string, LoadedTools>> {
  const outcomes = new Map<string, LoadedTools>();
  for (const { file, problem } of await tryFiles(trial, options)) {
    if (options.signal.aborted) break;
    outcomes.set(file, problem === undefined ? await importFile(file, trial, options) : { problem });
  }
  return outcomes;
}

async function importFile(
  file: string,
  { folderUrl, marker }: Trial,
  { importMs, signal, importModule }: Parameters<typeof loadFiles>[1],
): Promise<LoadedTools> {
  const late = () => new OutsideError(`was not imported within ${importMs / 1000} s`, { code: "timeout" });
  try {
    const url = folderUrl + encodeURIComponent(file) + marker;
    const module: unknown = await withDeadline({ ms: importMs, signal, late }, () => importModule(url));
    const tools = exportedTools(module);
    return tools.length > 0 ? { tools } : { problem: `${file}: exports no tool; export what defineTool returns` };
  } catch (error) {
    return { problem: describeImportFailure(error, file, marker) };
  }
}
