import { lookup } from "node:dns/promises";
import { basename, resolve as absolute } from "node:path";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import type { Tool } from "../contract.ts";
import { distinctTools } from "../distinct-tools.ts";
import type { ResolveHost } from "../pinned-connect.ts";
import { createPublishedTools } from "../published-tools.ts";
import type { ToolSource } from "../source.ts";
import { watchFolder, type FileContent, type FolderContent } from "../watch-folder.ts";
import { createAccessTokens } from "./access-tokens.ts";
import type { RevealCredential } from "./authorize.ts";
import { httpTools, type HttpToolParts } from "./http-tool.ts";
import { parseTool, type YamlText } from "./parse-tool.ts";

/**
 * The tools declared in the YAML files of a folder, the same for everyone. Changed files are read again; one that cannot
 * be used is named in `problems`, and its last good version stays in use. Settles when all files have been read.
 */
export async function createHttpTools(options: {
  readonly dir: string;
  /** Reads YAML text and fills in its references to the environment. Must not throw. */
  readonly readYaml: (text: string) => YamlText;
  /** Where people's own credentials are; without it tools that need one refuse to run. */
  readonly credentials?: RevealCredential;
  readonly log: Log;
  readonly guard?: {
    /** Exact `host:port` pairs that every file may reach wherever they are. */
    readonly allow?: readonly string[];
    readonly resolve?: ResolveHost;
  };
  /** As for `watchFolder`. */
  readonly debounceMs?: number;
  readonly pollMs?: number;
}): Promise<ToolSource & { /** Looks for changed files now. */ check(): Promise<void> }> {
  const { dir, log, guard = {} } = options;
  const label = basename(absolute(dir));
  const closing = new AbortController();
  const parts: HttpToolParts = {
    credentials: options.credentials,
    tokens: createAccessTokens(closing.signal),
    resolve: guard.resolve ?? ((host) => lookup(host, { all: true })),
    allow: guard.allow ?? [],
  };
  const published = createPublishedTools(log);
  let files: ReadonlyMap<string, ReadFile> = new Map();

  const change = (content: FolderContent): void => {
    if ("problem" in content)
      return published.publish(published.tools(), [
        `${label}: ${content.problem}; what was loaded before stays in use`,
      ]);
    const wanted = [...content.files].filter(([name]) => !name.startsWith("_"));
    files = new Map(wanted.map(([name, file]) => [name, read(name, file, files.get(name)?.tools ?? [])]));
    const distinct = distinctTools([...files].map(([name, file]) => [`${label}/${name}`, file.tools]));
    published.publish(distinct.tools, [...[...files.values()].flatMap((file) => file.problems), ...distinct.problems]);
  };

  const read = (name: string, file: FileContent, before: readonly Tool[]): ReadFile => {
    const found = "problem" in file ? { problems: [`${label}/${name}: ${file.problem}`] } : readTools(name, file.text);
    if ("tools" in found) return { tools: found.tools, problems: [] };
    const kept = before.length > 0 ? "; the file's last good version stays in use" : "";
    return { tools: before, problems: found.problems.map((problem) => problem + kept) };
  };

  const readTools = (name: string, text: string): { tools: readonly Tool[] } | { problems: readonly string[] } => {
    const parsed = parseTool(`${label}/${name}`, options.readYaml(text), parts.allow);
    if ("problems" in parsed) return parsed;
    try {
      return { tools: httpTools(parsed.tool, parts) };
    } catch (error) {
      return { problems: [`${label}/${name}: ${describeError(error)}`] };
    }
  };

  const watching = await watchFolder({
    ...options,
    accepts: (name) => /\.ya?ml$/.test(name) && !name.startsWith("."),
    onChange: (content) => Promise.resolve(change(content)),
  });
  return {
    toolsFor: () => Promise.resolve(published.tools()),
    problems: () => published.problems(),
    check: () => watching.check(),
    close: async () => {
      closing.abort();
      await watching.close();
    },
  };
}

/** What is known of one file. */
interface ReadFile {
  /** Of the last version that could be used. */
  readonly tools: readonly Tool[];
  readonly problems: readonly string[];
}
