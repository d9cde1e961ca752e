import { createHash } from "node:crypto";
import { isNode, LineCounter, parseDocument, visit, type Document } from "yaml";
import type { z } from "zod";
import { describeError } from "../../kernel/errors.ts";
import { mcpFileSchema, toMcpConfig } from "./config-schema.ts";
import type { McpConfig } from "./server-spec.ts";

/** Fills in `${NAME}` from the environment; says what is wrong when it cannot. */
export type FillIn = (text: string) => { readonly text: string } | { readonly problem: string };

/** The settings of a file that can be used, or everything that is wrong with it, each as `mcp.yaml:line:column …`. */
export type ParsedMcpFile = { readonly config: McpConfig } | { readonly problems: readonly string[] };

/** The file in the configuration folder. */
export const MCP_FILE = "mcp.yaml";

/**
 * Reads the text of `mcp.yaml`. Never throws, and shows no value: a value may be a secret.
 */
export function parseMcpFile(text: string, fill: FillIn): ParsedMcpFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: "error",
  });
  const placeAt = (offset = 0) => {
    const { line, col } = lines.linePos(offset);
    return `${MCP_FILE}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  // What follows a colon in the parser's messages, here and below, quotes the file.
  const broken = [...document.errors, ...document.warnings].map(
    (error) => `${placeAt(error.pos[0])} ${error.message.split(":")[0] ?? ""}`,
  );
  if (broken.length > 0) return { problems: broken };
  const { problems, filledIn } = fillScalars(document, fill);
  if (problems.length > 0) return { problems: problems.map(({ offset, words }) => `${placeAt(offset)} ${words}`) };
  const data = readData(document);
  if ("problem" in data) return { problems: [`${placeAt()} ${data.problem}`] };
  const checked = mcpFileSchema.safeParse(data.value ?? {});
  if (!checked.success)
    return {
      problems: checked.error.issues.flatMap((issue) =>
        explain(issue).map(({ path, message }) => `${placeAt(offsetOf(document, path))} ${path.join(".")}: ${message}`),
      ),
    };
  return {
    config: toMcpConfig(checked.data, {
      fingerprintOf: (server) => fingerprintOf(document.getIn(["servers", server], true)),
      isFilledIn: (value) => filledIn.has(value),
    }),
  };
}

function fillScalars(document: Document.Parsed, fill: FillIn) {
  const problems: { readonly offset: number | undefined; readonly words: string }[] = [];
  const filledIn = new Set<string>();
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("${")) return;
      const filled = fill(node.value);
      if ("problem" in filled) problems.push({ offset: node.range?.[0], words: filled.problem });
      else {
        node.value = filled.text;
        filledIn.add(filled.text);
      }
    },
  });
  return { problems, filledIn };
}

function readData(document: Document.Parsed): { value: unknown } | { problem: string } {
  try {
    const value: unknown = document.toJS();
    return { value };
  } catch (error) {
    return { problem: describeError(error).split(":")[0] ?? "" };
  }
}

function explain(issue: z.core.$ZodIssue): readonly { path: readonly PropertyKey[]; message: string }[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: "unknown key" }));
  return [
    { path: issue.path, message: issue.message.replace(/^(Invalid input|Invalid option|Too small|Too big): /, "") },
  ];
}

// Where the value stands, or else the nearest section around it.
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0];
  }
  return undefined;
}

function fingerprintOf(node: unknown): string {
  return createHash("sha256").update(JSON.stringify(node)).digest("hex");
}
