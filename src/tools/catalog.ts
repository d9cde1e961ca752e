import type { WorkspaceId } from "../kernel/ids.ts";
import type { Tool } from "./contract.ts";
import { distinctTools } from "./distinct-tools.ts";
import type { ToolSource } from "./source.ts";
import { createToolbox, type Toolbox } from "./toolbox.ts";

/** Everything a person's model can call, from all places tools come from. */
export interface Catalog {
  /** The tools of a person as they are now. Never throws: what is broken is left out and named in `problems`. */
  toolboxFor(workspaceId: WorkspaceId): Promise<Toolbox>;
  /** One sentence for each thing that is wrong with some source now. */
  problems(): readonly string[];
}

/**
 * Puts the sources together, the first being the strongest: of two tools with one name the later is left out. `wrap` is
 * applied to each tool that is handed out.
 */
export function createCatalog(
  builtin: readonly Tool[],
  sources: readonly { readonly label: string; readonly source: ToolSource }[],
  wrap: (tool: Tool) => Tool,
): Catalog {
  let clashes: readonly string[] = [];
  return {
    async toolboxFor(workspaceId) {
      const found = await Promise.all(
        sources.map(async ({ label, source }) => [label, await source.toolsFor(workspaceId)] as const),
      );
      const { tools, problems } = distinctTools([["built in", builtin], ...found]);
      clashes = problems;
      return createToolbox(tools.map(wrap));
    },
    problems: () => [...sources.flatMap(({ source }) => source.problems()), ...clashes],
  };
}
