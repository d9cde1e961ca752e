import { InvalidInput } from "../kernel/errors.ts";
import type { Tool } from "./contract.ts";

/** The tools of an installation, by name. Immutable. */
export interface Toolbox {
  /** In the order they were given. */
  list(): readonly Tool[];
  /** Finds a tool by its name, or by the name models see, where every dot is `_`. */
  find(name: string): Tool | undefined;
}

const FITTING_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Collects tools. Throws `InvalidInput` for a name no model could call and for two names a model could not tell apart. */
export function createToolbox(tools: readonly Tool[]): Toolbox {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (!FITTING_NAME.test(tool.name))
      throw new InvalidInput(`Tool name ${JSON.stringify(tool.name)} must be 1 to 64 letters, digits, "_", "." or "-"`);
    const taken = byName.get(wireName(tool.name));
    if (taken !== undefined) throw new InvalidInput(describeClash(tool.name, taken.name));
    byName.set(tool.name, tool).set(wireName(tool.name), tool);
  }
  return { list: () => [...tools], find: (name) => byName.get(name) };
}

/** The tools that may be used where several people speak: those whose results are for nobody's eyes alone. */
export function inCompany(toolbox: Toolbox): Toolbox {
  return createToolbox(toolbox.list().filter((tool) => tool.private !== true));
}

function wireName(name: string): string {
  return name.replaceAll(".", "_");
}

function describeClash(name: string, taken: string): string {
  return name === taken
    ? `Two tools are named "${name}"`
    : `Tools "${taken}" and "${name}" have the same name for the model: "${wireName(name)}"`;
}
