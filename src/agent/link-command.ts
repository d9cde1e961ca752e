import { InvalidId, parseWorkspaceId, type WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import type { PersonalData } from "../kernel/personal-data.ts";
import type { Lanes } from "../store/lanes.ts";
import { MAX_LINKED, type JoinReply, type LinkStore } from "../store/links.ts";
import type { Adoption } from "../store/memory.ts";
import { isPrivate } from "./privately.ts";

export interface LinkCommandParts {
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly links: LinkStore;
  readonly memory: { adopt(from: WorkspaceId, to: WorkspaceId): Promise<Adoption> };
}

const USAGE = `/link makes you one person over several platforms: memory and budgets follow you.
/link: gives a code; send /link <code> to me from your other account within ten minutes
/link list: the accounts that are linked
/link remove <account>: separates one again; without a name, the account you write from`;

/** `/link`, `/link <code>`, `/link list`, `/link remove`. */
export async function linkCommand(message: InboundMessage, rest: string, parts: LinkCommandParts): Promise<string> {
  const { links } = parts;
  const [verb = "", argument, ...more] = rest.split(/\s+/).filter((word) => word !== "");
  const word = verb.toLowerCase();
  if (more.length > 0 || (argument !== undefined && word !== "remove")) return USAGE;
  const { workspaceId } = message;
  const identity = message.identity ?? workspaceId;
  if (word === "list") return listText(workspaceId, identity, links);
  if (word === "remove") return remove(workspaceId, argument ?? identity, links);
  if (word === "help") return USAGE;
  if (word === "") {
    if (!(await isPrivate(message, parts)))
      return "Others could read the code here. Please send /link in a direct chat with me.";
    const code = await links.issue(workspaceId);
    return `Send this to me from your other account within ten minutes: /link ${code}\nIt works once. Give it to nobody: whoever sends it shares your memory and budgets.`;
  }
  const reply = await links.join(identity, verb, parts.clock.now());
  if (reply.kind !== "joined") return refusalText(reply);
  return joinedText(reply.workspace, await parts.memory.adopt(identity, reply.workspace));
}

/** The links of a person, for the export and for those who are forgotten. The last to be erased: it finds the names. */
export function createLinkData(links: Pick<LinkStore, "list" | "remove" | "resolve">): PersonalData {
  return {
    name: "links",
    async collect(person) {
      const workspace = await links.resolve(person);
      const linked = await links.list(person);
      return {
        ...(workspace === person ? {} : { linked_to: workspace }),
        accounts: linked.map(({ identity, at }) => ({ id: identity, at: new Date(at).toISOString() })),
      };
    },
    async count({ persons }) {
      const lists = await Promise.all(persons.map((person) => links.list(person)));
      return { "linked accounts": lists.reduce((sum, list) => sum + list.length, 0) };
    },
    async erase({ persons }) {
      for (const person of persons)
        for (const { identity } of await links.list(person)) await links.remove(person, identity);
      return { counts: {} };
    },
  };
}

function joinedText(workspace: WorkspaceId, { taken, left }: Adoption): string {
  return [
    `This account now belongs to ${workspace}: memory, settings and budgets are shared from your next message on.`,
    taken > 0 ? `${countOf(taken)} remembered under this account ${taken === 1 ? "was" : "were"} added.` : undefined,
    left.length > 0
      ? `Not added, because there is no room or something else stands there already: ${left.join(", ")}. They come back when you remove the link.`
      : undefined,
  ]
    .filter((sentence) => sentence !== undefined)
    .join(" ");
}

function countOf(entries: number): string {
  return entries === 1 ? "1 thing" : `${entries} things`;
}

function refusalText(reply: Exclude<JoinReply, { kind: "joined" }>): string {
  switch (reply.kind) {
    case "already":
      return "These two accounts are linked already.";
    case "elsewhere":
      return `This account is linked to ${reply.workspace} already. Send /link remove first, then the code again.`;
    case "own":
      return "This code is your own: send it from your other account.";
    case "has-links":
      return "Other accounts are linked to this one, so it cannot join another. Remove them first (/link list), or make the code here and send it from the other account.";
    case "full":
      return `${MAX_LINKED} accounts are linked there already; remove one first.`;
    case "slow-down":
      return "Too many wrong codes. Please wait ten minutes.";
    case "unknown":
      return "I do not know this code: it may be mistyped, used already or older than ten minutes. /link on your other account gives a new one.";
  }
}

async function listText(workspace: WorkspaceId, identity: WorkspaceId, links: LinkStore): Promise<string> {
  const linked = await links.list(workspace);
  if (linked.length === 0) return "No other account is linked to this one. /link gives a code to link one.";
  const here = (id: WorkspaceId) => (id === identity ? " (this one)" : "");
  return [
    `Your workspace is ${workspace}${here(workspace)}. Linked to it:`,
    ...linked.map(
      (each) => `- ${each.identity}${here(each.identity)}, since ${new Date(each.at).toISOString().slice(0, 10)}`,
    ),
  ].join("\n");
}

async function remove(workspace: WorkspaceId, name: string, links: LinkStore): Promise<string> {
  const identity = parseName(name);
  if (identity === workspace)
    return "This is the account the others are linked to: name the one to remove. /link list shows them.";
  if (identity === undefined || !(await links.remove(workspace, identity)))
    return `There is no linked account ${JSON.stringify(name.slice(0, 60))}. /link list shows them.`;
  return `${identity} stands for itself again: it has its own memory and budgets from its next message on.`;
}

function parseName(name: string): WorkspaceId | undefined {
  try {
    return parseWorkspaceId(name);
  } catch (error) {
    if (error instanceof InvalidId) return undefined;
    throw error;
  }
}
