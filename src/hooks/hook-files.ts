import type { Log } from "../kernel/ports.ts";
import { createCodeFiles, type CodeFileOptions } from "../tools/code/code-files.ts";
import { exportedHooks, type Hooks } from "./define.ts";

/** The hooks in the files of a folder as they are now. */
export interface HookFiles {
  /** In the order in which they are called: by file, then by export. */
  hooks(): readonly { readonly file: string; readonly hooks: Hooks }[];
  /** One sentence for each file that cannot be used. */
  problems(): readonly string[];
  /** Looks for changed files now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Loads the hooks of a folder, and again when they change; a file that cannot be loaded is named and left out. */
export async function createHookFiles(options: CodeFileOptions & { readonly log: Log }): Promise<HookFiles> {
  const { log } = options;
  let hooks: readonly { readonly file: string; readonly hooks: Hooks }[] = [];
  let problems: readonly string[] = [];
  const files = await createCodeFiles(options, {
    imports: { "#parley/hooks": HOOKS_URL, "#parley/tools": TOOLS_URL },
    pick: exportedHooks,
    none: "exports no hooks; export what defineHooks returns",
    onChange(inUse, wrong) {
      for (const problem of wrong) if (!problems.includes(problem)) log.warn({ problem }, "a hook file cannot be used");
      if (hooks.length + inUse.length > 0) log.info({ files: inUse.map(([file]) => file) }, "hook files loaded");
      hooks = inUse.flatMap(([file, found]) => found.map((each) => ({ file, hooks: each })));
      problems = wrong;
    },
  });
  return { hooks: () => hooks, problems: () => problems, check: () => files.check(), close: () => files.close() };
}

const HOOKS_URL = new URL("./public.ts", import.meta.url).href;
const TOOLS_URL = new URL("../tools/public.ts", import.meta.url).href;
