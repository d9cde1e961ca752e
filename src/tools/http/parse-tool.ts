import type { z } from "zod";
import { checkTool } from "./check-tool.ts";
import { httpToolSchema, type HttpTool } from "./schema.ts";

/** What a YAML file says, and where it says it. `config/yaml-file.ts` reads one. */
export interface YamlText {
  /** References to the environment are filled in. */
  readonly values: Record<string, unknown>;
  readonly problems: readonly { readonly place: string; readonly message: string }[];
  /** The `line:column` of the value with this path, or of the nearest thing around it. */
  placeOf(path: readonly PropertyKey[]): string | undefined;
  placeOfKey(path: readonly PropertyKey[]): string | undefined;
}

/**
 * Checks what a file says. Everything wrong with it is in `problems`, one sentence each that begins with the file, line
 * and column and shows no value.
 */
export function parseTool(
  file: string,
  yaml: YamlText,
  allow: readonly string[],
): { readonly tool: HttpTool } | { readonly problems: readonly string[] } {
  const problems = yaml.problems.map(({ place, message }) => `${file}:${place}: ${message}`);
  if (problems.length > 0) return { problems };
  const parsed = httpToolSchema.safeParse(yaml.values);
  const issues = parsed.success ? checkTool(parsed.data, allow) : parsed.error.issues.flatMap(flatten);
  if (parsed.success && issues.length === 0) return { tool: parsed.data };
  return { problems: issues.map((issue) => describe(file, yaml, issue)) };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly isKey?: boolean;
}

function flatten(issue: z.core.$ZodIssue): Issue[] {
  const message = issue.message.replace(/^(Invalid input|Invalid option|Too small|Too big): /, "");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ path: [...issue.path, key], message, isKey: true }));
  if (issue.code === "invalid_key")
    return [{ path: issue.path, message: `"${String(issue.path.at(-1))}" cannot be used as a name here`, isKey: true }];
  return [{ path: issue.path, message }];
}

function describe(file: string, yaml: YamlText, { path, message, isKey = false }: Issue): string {
  const place = isKey ? yaml.placeOfKey(path) : yaml.placeOf(path);
  const name = path.map(String).join(".");
  return `${file}:${place ?? "1:1"}: ${name === "" ? "" : `${name}: `}${message}`;
}
