import { join } from "node:path";

/**
 * What is wrong with a configuration, one line each. Places in files begin with the folder, so that a terminal or an
 * editor can open them. Pure.
 */
export function describeProblems(issues: readonly string[], dir: string): string {
  return issues.map((issue) => `  ${issue.startsWith("parley.yaml") ? join(dir, issue) : issue}`).join("\n");
}
