import { describeError } from "../kernel/errors.ts";
import type { Tool } from "./contract.ts";
import { createToolbox } from "./toolbox.ts";

/**
 * The tools of several files without those a toolbox would refuse: a name no model could call, or one it could not tell
 * from a tool of an earlier file. Each refusal is a sentence that names the files.
 */
export function distinctTools(files: Iterable<readonly [file: string, tools: readonly Tool[]]>): {
  readonly tools: readonly Tool[];
  readonly problems: readonly string[];
} {
  const kept = new Map<string, { readonly file: string; readonly tool: Tool }>();
  const problems: string[] = [];
  for (const [file, tools] of files) {
    for (const tool of tools) {
      const first = kept.get(wireName(tool.name));
      const problem = first === undefined ? nameProblem(tool) : describeClash(tool.name, first.tool.name, first.file);
      if (problem === undefined) kept.set(wireName(tool.name), { file, tool });
      else problems.push(`${file}: ${problem}`);
    }
  }
  return { tools: [...kept.values()].map(({ tool }) => tool), problems };
}

// Models see every dot as "_".
function wireName(name: string): string {
  return name.replaceAll(".", "_");
}

function nameProblem(tool: Tool): string | undefined {
  try {
    createToolbox([tool]);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

function describeClash(name: string, taken: string, file: string): string {
  return name === taken
    ? `the tool "${name}" is left out: ${file} has one of that name`
    : `the tool "${name}" is left out: models could not tell it from "${taken}" in ${file}`;
}
