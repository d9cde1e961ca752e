import type { ServerSpec } from "./server-spec.ts";
import type { ServerState } from "./keeper.ts";
import type { ListedTool, ToolList } from "./listed-tool.ts";

/** One server as it is shown. */
export interface ShownServer {
  readonly spec: ServerSpec;
  readonly from: "config" | "person";
  readonly state: ServerState;
  readonly tools: ToolList | undefined;
}

/** The answer to `/mcp list`. */
export function listText(servers: readonly ShownServer[], unreadable: readonly string[], now: number): string {
  const own = servers.filter(({ from }) => from === "person");
  const common = servers.filter(({ from }) => from === "config");
  return [
    ...(own.length === 0 ? ["You have added no MCP servers."] : ["Your MCP servers:"]),
    ...own.map((server) => `- ${serverLine(server, now)}`),
    ...unreadable.map((name) => `- ${name}: damaged; remove it and add it anew`),
    ...(common.length === 0 ? [] : ["For everybody:"]),
    ...common.map((server) => `- ${serverLine(server, now)}`),
  ].join("\n");
}

/** The answer to `/mcp tools`. */
export function toolsText(name: string, { tools, notes }: ToolList): string {
  if (tools.length === 0) return [`"${name}" offers no tools.`, ...notes].join("\n");
  return [`The tools of "${name}":`, ...tools.map((tool) => `- ${toolLine(tool)}`), ...notes].join("\n");
}

/** The answer to `/mcp add` when the server can be used at once. */
export function addedText(name: string, { tools, notes }: ToolList): string {
  const shown = tools.slice(0, 8).map((tool) => tool.name);
  const names =
    tools.length > shown.length ? `${shown.join(", ")} and ${tools.length - shown.length} more` : shown.join(", ");
  const found = tools.length === 0 ? "It offers no tools." : `${countOf(tools.length, "tool")}: ${names}.`;
  return [`Added the MCP server "${name}". ${found}`, ...notes].join("\n");
}

/** What a person is told who has to sign in to a server. */
export function signInText(name: string, page: string): string {
  return [
    `"${name}" wants you to sign in. Open this page in your browser:`,
    page,
    "When you are done, copy the address your browser ended at and send it as: /mcp finish <address>",
  ].join("\n");
}

/** An address without what may be secret in it. */
export function shownAddress(address: string): string {
  const url = new URL(address);
  return `${url.origin}${url.pathname === "/" ? "" : url.pathname}${url.search === "" ? "" : "?…"}`;
}

/** The state of a server in a few words. */
export function stateWords({ is, trouble, until, signInUrl }: ServerState, now: number): string {
  const why = trouble === undefined ? "" : `: ${trouble}`;
  const wait = `${Math.max(1, Math.ceil(((until ?? now) - now) / 1000))} s`;
  switch (is) {
    case "running":
      return "running";
    case "starting":
      return "starting";
    case "idle":
      return trouble === undefined ? "started when it is needed" : `started again when it is needed${why}`;
    case "paused":
      return `started again in ${wait}${why}`;
    case "off":
      return `off for ${wait} after failing again and again${why}`;
    case "sign-in":
      return `sign in first: ${signInUrl ?? ""}`;
  }
}

function serverLine({ spec, state, tools }: ShownServer, now: number): string {
  const where = spec.kind === "http" ? ` (${shownAddress(spec.url)})` : "";
  const count = tools === undefined ? "" : `, ${countOf(tools.tools.length, "tool")}`;
  const notes = (tools?.notes ?? []).map((note) => `; ${note}`).join("");
  return `${spec.name}${where}: ${stateWords(state, now)}${count}${notes}`;
}

const EFFECT_WORDS = { read: "only reads", idempotent: "may be repeated", once: "changes things" } as const;

function toolLine({ name, description, effect }: ListedTool): string {
  const first = /^[^\n]*?[.!?](?=\s|$)|^[^\n]*/.exec(description)?.[0] ?? "";
  return `${name} (${EFFECT_WORDS[effect]}): ${first.length <= 160 ? first : `${first.slice(0, 159)}…`}`;
}

function countOf(count: number, thing: string): string {
  return count === 1 ? `1 ${thing}` : `${count} ${thing}s`;
}
