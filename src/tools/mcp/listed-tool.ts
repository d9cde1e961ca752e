import type { Tool as McpTool } from "@modelcontextprotocol/client";
import type { Effect } from "../contract.ts";
import type { ToolOverride } from "./server-spec.ts";
import { toolNameOf } from "./tool-names.ts";

/** A tool of a server as it is offered to the model, with the definition the server gave. */
export interface ListedTool {
  readonly name: string;
  readonly description: string;
  readonly effect: Effect;
  readonly approval: "ask" | "never";
  readonly trusted?: boolean;
  readonly sends?: boolean;
  readonly parameters: Record<string, unknown>;
  readonly definition: McpTool;
}

/** The tools of one server, and in words what of its list is not offered. */
export interface ToolList {
  readonly tools: readonly ListedTool[];
  readonly notes: readonly string[];
}

/** How the tools of a server are chosen and named. */
export interface ListingRules {
  readonly server: string;
  readonly only?: readonly string[] | undefined;
  readonly tools: Readonly<Record<string, ToolOverride>>;
  readonly approval: "ask" | "never";
  /** Whether a tool from elsewhere has this name, dots written as `_`. */
  readonly taken?: ((wireName: string) => boolean) | undefined;
}

/** How many tools of one server are offered; a model that sees more of them chooses badly. */
export const MAX_TOOLS = 100;
// The limit of OpenAI's function descriptions.
const MAX_DESCRIPTION_CHARS = 1024;
// Definitions go into every request to the model.
const MAX_PARAMETERS_CHARS = 24_000;
const MAX_CHARS_IN_ALL = 240_000;

/** Makes the tools of a server's list, in its order. `more` says that the list went on. */
export function listTools(definitions: readonly McpTool[], more: boolean, rules: ListingRules): ToolList {
  const tools: ListedTool[] = [];
  const tooLarge: string[] = [];
  const names = new Set<string>();
  let left = MAX_CHARS_IN_ALL;
  let surplus = 0;
  for (const definition of definitions) {
    if (rules.only?.includes(definition.name) === false) continue;
    const tool = toListedTool(definition, rules);
    const chars = JSON.stringify(tool.parameters).length + tool.description.length;
    if (names.has(tool.name)) continue;
    if (tools.length >= MAX_TOOLS) surplus += 1;
    else if (chars > MAX_PARAMETERS_CHARS || chars > left) tooLarge.push(definition.name);
    else {
      names.add(tool.name);
      tools.push(tool);
      left -= chars;
    }
  }
  return { tools, notes: describeGaps(definitions, tooLarge, surplus, more, rules) };
}

function toListedTool(definition: McpTool, rules: ListingRules): ListedTool {
  const override = rules.tools[definition.name];
  return {
    name: toolNameOf(rules.server, definition.name, rules.taken),
    description: describe(definition),
    effect: override?.effect ?? effectOf(definition),
    approval: override?.approval ?? rules.approval,
    ...(override?.trusted === undefined ? {} : { trusted: override.trusted }),
    ...(override?.sends === undefined ? {} : { sends: override.sends }),
    parameters: parametersOf(definition),
    definition,
  };
}

function describe({ name, title, annotations, description = "" }: McpTool): string {
  const text = description.trim() === "" ? (title ?? annotations?.title ?? name) : description.trim();
  return text.length <= MAX_DESCRIPTION_CHARS ? text : `${text.slice(0, MAX_DESCRIPTION_CHARS - 1).trimEnd()}…`;
}

// A server that says nothing may do anything.
function effectOf({ annotations }: McpTool): Effect {
  if (annotations?.readOnlyHint === true) return "read";
  return annotations?.idempotentHint === true ? "idempotent" : "once";
}

function parametersOf({ inputSchema }: McpTool): Record<string, unknown> {
  const { $schema: _dialect, ...schema } = inputSchema;
  // Some providers refuse an object without this key.
  return { ...schema, type: "object", properties: schema.properties ?? {} };
}

function describeGaps(
  definitions: readonly McpTool[],
  tooLarge: readonly string[],
  surplus: number,
  more: boolean,
  { server, only = [] }: ListingRules,
): string[] {
  const there = new Set(definitions.map(({ name }) => name));
  // Of a list that goes on, what is missing may still come.
  const missing = more ? [] : only.filter((name) => !there.has(name));
  return [
    ...(surplus > 0 || more
      ? [
          `"${server}" has ${more ? "more tools than are read" : `${surplus} more tools`}; the first ${MAX_TOOLS} are offered (choose others with "only")`,
        ]
      : []),
    ...(tooLarge.length > 0 ? [`"${server}": too large to offer: ${nameSome(tooLarge)}`] : []),
    ...(missing.length > 0 ? [`"${server}" has no tool named ${nameSome(missing)}`] : []),
  ];
}

const MAX_NAMED = 5;

function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).map((name) => JSON.stringify(name.slice(0, 60)));
  return names.length > MAX_NAMED ? `${shown.join(", ")} and ${names.length - MAX_NAMED} more` : shown.join(", ");
}
