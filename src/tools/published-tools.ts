import type { Log } from "../kernel/ports.ts";
import type { Tool } from "./contract.ts";

/** The tools a source has now, and what is wrong with its files; every change is told to the log. */
export interface PublishedTools {
  /** Replaces both. A problem that was there before is not told again. */
  publish(tools: readonly Tool[], problems: readonly string[]): void;
  tools(): readonly Tool[];
  problems(): readonly string[];
}

/** Begins with no tools and no problems. */
export function createPublishedTools(log: Log): PublishedTools {
  let tools: readonly Tool[] = [];
  let problems: readonly string[] = [];
  return {
    publish(current, wrong) {
      for (const problem of wrong) if (!problems.includes(problem)) log.warn({ problem }, "a tool file cannot be used");
      if (tools.length + current.length > 0) log.info({ tools: current.map(({ name }) => name) }, "tool files loaded");
      tools = current;
      problems = wrong;
    },
    tools: () => tools,
    problems: () => problems,
  };
}
