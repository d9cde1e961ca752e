import type { InboundMessage } from "../kernel/messages.ts";
import type { Lanes } from "../store/lanes.ts";
import { isCredentialName, type CredentialStore } from "../store/credentials.ts";
import type { TicketStore } from "../store/tickets.ts";
import { isPrivate } from "./privately.ts";

export interface CredentialsCommandParts {
  readonly lanes: Lanes;
  readonly credentials: Pick<CredentialStore, "list" | "delete">;
  readonly tickets: Pick<TicketStore, "issue">;
  /** Where the API answers people; undefined where it is not known. */
  readonly address: () => string | undefined;
}

const USAGE = `Credentials are what tools sign in with for you. They are stored encrypted and never shown again.
/credentials list: their names
/credentials set <name>: gives a link to a page where you enter the value; never send it in a chat
/credentials remove <name>: deletes one`;

/** `/credentials list|set|remove`. A value typed in a chat would stand in its history, so it is entered on a page. */
export async function credentialsCommand(
  message: InboundMessage,
  rest: string,
  parts: CredentialsCommandParts,
): Promise<string> {
  const { credentials, tickets, address } = parts;
  const person = message.workspaceId;
  const [verb = "list", name, ...more] = rest.split(/\s+/).filter((word) => word !== "");
  const word = verb.toLowerCase();
  if (word === "list" && name === undefined) {
    const names = (await credentials.list(person)).map((each) => each.name).filter(isPersonal);
    if (names.length === 0) return "You have no credentials. /credentials set <name> adds one.";
    return ["Your credentials:", ...names.map((each) => `- ${each}`)].join("\n");
  }
  if (word === "set" && more.length > 0)
    return "Please do not send the value in a chat: it would stand in its history. Delete that message if you can, and send only /credentials set <name>.";
  if ((word !== "set" && word !== "remove") || name === undefined || more.length > 0) return USAGE;
  if (!isCredentialName(name) || !isPersonal(name))
    return `${JSON.stringify(name.slice(0, 60))} cannot be a credential's name: use up to 64 letters, digits, "_", "." or "-", not beginning with "mcp.".`;
  if (word === "remove")
    return (await credentials.delete(person, name))
      ? `The credential ${name} is deleted.`
      : `You have no credential named ${name}. /credentials list shows them.`;
  if (!(await isPrivate(message, parts))) return "Others read along here. Please send this in a direct chat with me.";
  const where = address();
  if (where === undefined) return "There is no page to enter it on here; an administrator can store it by the API.";
  const token = await tickets.issue({ for: "credential", person, name });
  return `Enter the value for ${name} on this page within ten minutes; the link works once: ${where}/once/${token}`;
}

/** What MCP servers keep is theirs: it goes with the server, by /mcp remove. */
function isPersonal(name: string): boolean {
  return !name.startsWith("mcp.");
}
