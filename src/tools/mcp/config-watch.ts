import type { Log } from "../../kernel/ports.ts";
import { watchFolder, type FolderContent } from "../watch-folder.ts";
import { MCP_FILE, parseMcpFile, type FillIn } from "./config-file.ts";
import { EMPTY_CONFIG, type McpConfig } from "./server-spec.ts";

/** The MCP settings of a running process, kept up to date with their file. */
export interface McpConfigWatch {
  /** The last settings that could be used. */
  current(): McpConfig;
  /** What is wrong with the file as it is now; `current` is older then. */
  problems(): readonly string[];
  /** Calls `listener` after every change that can be used, until the watch is closed. It must not throw. */
  onChange(listener: () => void): void;
  /** Looks at the file now instead of when the next change is noticed. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads `mcp.yaml` in `dir` and reads it again when it changes; no file is an empty one. A file that cannot be used is
 * reported, and the last good settings stay in force. `fill` puts in what the environment holds.
 */
export async function watchMcpConfig(options: {
  readonly dir: string;
  readonly fill: FillIn;
  readonly log: Log;
  /** As for `watchFolder`. */
  readonly debounceMs?: number;
  readonly pollMs?: number;
}): Promise<McpConfigWatch> {
  const { dir, fill, log, ...timing } = options;
  let current = EMPTY_CONFIG;
  let problems: readonly string[] = [];
  const listeners: (() => void)[] = [];
  const take = (content: FolderContent) => {
    const read = readFrom(content, fill);
    if ("problems" in read) {
      problems = read.problems;
      log.error({ problems }, "the MCP settings cannot be used; the last good ones stay in force");
      return;
    }
    current = read.config;
    problems = [];
    for (const listener of listeners) listener();
  };
  const folder = await watchFolder({
    dir,
    accepts: (name) => name === MCP_FILE,
    onChange: (content) => Promise.resolve(take(content)),
    ...timing,
  });
  return {
    current: () => current,
    problems: () => problems,
    onChange: (listener) => void listeners.push(listener),
    check: () => folder.check(),
    close: () => folder.close(),
  };
}

function readFrom(content: FolderContent, fill: FillIn) {
  if ("problem" in content) return { problems: [`${MCP_FILE}: ${content.problem}`] };
  const file = content.files.get(MCP_FILE);
  if (file !== undefined && "problem" in file) return { problems: [`${MCP_FILE}: ${file.problem}`] };
  return parseMcpFile(file?.text ?? "", fill);
}
