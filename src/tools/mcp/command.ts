import { InvalidInput, OutsideError } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import type { PersonActions } from "./person-actions.ts";
import { SessionFailure } from "./session.ts";

/** What follows `/mcp`, understood. */
export type McpCommand =
  | { readonly do: "list" }
  | { readonly do: "add"; readonly url: string; readonly name?: string; readonly token?: string }
  | { readonly do: "remove" | "tools"; readonly name: string }
  | { readonly do: "finish"; readonly address: string }
  | { readonly do: "help" };

const HELP = `MCP servers give me more tools.
/mcp list: your servers and how they are
/mcp add <address> [as <name>] [token <token>]: adds one of your own
/mcp tools <name>: what it can do
/mcp remove <name>: removes one of your own
/mcp finish <address>: ends a sign-in with the address your browser came back to`;

/** Reads what follows `/mcp`. Anything unclear is `help`. */
export function parseMcpCommand(rest: string): McpCommand {
  const [verb = "list", first, ...more] = rest.split(/\s+/).filter((word) => word !== "");
  if (verb === "list" && first === undefined) return { do: "list" };
  if (first === undefined) return { do: "help" };
  switch (verb) {
    case "add":
      return parseAdd(first, more);
    case "remove":
    case "tools":
      return more.length === 0 ? { do: verb, name: first } : { do: "help" };
    case "finish":
      return more.length === 0 ? { do: "finish", address: first } : { do: "help" };
    default:
      return { do: "help" };
  }
}

function parseAdd(url: string, words: readonly string[]): McpCommand {
  const given: { name?: string; token?: string } = {};
  for (let at = 0; at < words.length; at += 2) {
    const value = words[at + 1];
    if (value === undefined) return { do: "help" };
    if (words[at] === "as") given.name = value;
    else if (words[at] === "token") given.token = value;
    else return { do: "help" };
  }
  return { do: "add", url, ...given };
}

/** Does what a person asked for and gives the text to answer with, also when it could not be done. */
export async function runMcpCommand(actions: PersonActions, workspaceId: WorkspaceId, rest: string): Promise<string> {
  try {
    return await perform(actions, workspaceId, parseMcpCommand(rest));
  } catch (error) {
    if (error instanceof InvalidInput || error instanceof OutsideError) return error.message;
    if (error instanceof SessionFailure) return `That did not work: ${error.message}.`;
    throw error;
  }
}

function perform(actions: PersonActions, workspaceId: WorkspaceId, command: McpCommand): Promise<string> {
  switch (command.do) {
    case "list":
      return actions.list(workspaceId);
    case "add":
      return actions.add(workspaceId, command.url, { name: command.name, token: command.token });
    case "remove":
      return actions.remove(workspaceId, command.name);
    case "tools":
      return actions.tools(workspaceId, command.name);
    case "finish":
      return actions.finishSignIn(workspaceId, command.address);
    case "help":
      return Promise.resolve(HELP);
  }
}
