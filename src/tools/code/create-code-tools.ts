import type { Log } from "../../kernel/ports.ts";
import { distinctTools } from "../distinct-tools.ts";
import { createPublishedTools } from "../published-tools.ts";
import type { ToolSource } from "../source.ts";
import { createCodeFiles, type CodeFileOptions } from "./code-files.ts";
import { exportedTools } from "./exported-tools.ts";

/**
 * The tools in the TypeScript files of a folder, the same for everyone. Changed files are loaded again; one that cannot
 * be loaded is named in `problems`, and its last good version stays in use. Settles when all files have been tried.
 */
export async function createCodeTools(
  options: CodeFileOptions & { readonly log: Log },
): Promise<ToolSource & { /** Looks for changed files now. */ check(): Promise<void> }> {
  const published = createPublishedTools(options.log);
  const files = await createCodeFiles(options, {
    imports: { "#parley/tools": TOOLS_URL },
    pick: exportedTools,
    none: "exports no tool; export what defineTool returns",
    onChange(inUse, problems) {
      const distinct = distinctTools(inUse);
      published.publish(distinct.tools, [...problems, ...distinct.problems]);
    },
  });
  return {
    toolsFor: () => Promise.resolve(published.tools()),
    problems: () => published.problems(),
    check: () => files.check(),
    close: () => files.close(),
  };
}

const TOOLS_URL = new URL("../public.ts", import.meta.url).href;
