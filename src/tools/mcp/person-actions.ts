import { describeError, InvalidInput } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import { refusalForUrl } from "../fetch-guard.ts";
import { isServerName, SERVER_NAME_RULE } from "./server-spec.ts";
import { parseCallback, serverOfState } from "./oauth-provider.ts";
import { allowedFor, ownSecretsSchema, personSecrets, resolverOf } from "./open-server.ts";
import type { PersonServerStore } from "./person-servers.ts";
import type { Roster, RosterEntry, RosterParts } from "./roster.ts";
import { SignInNeeded } from "./sign-in-needed.ts";
import { addedText, listText, shownAddress, signInText, toolsText } from "./texts.ts";
import { serverNameFor } from "./tool-names.ts";

/** How a person wants a server of theirs to be called and signed in to. */
export interface AddOptions {
  /** Made from the address when unset. */
  readonly name?: string | undefined;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * What a person can do with their servers. Each gives the text to show them, and throws `InvalidInput`, whose message
 * can be shown as well, when it cannot be done; `OutsideError` when Redis or the credentials fail.
 */
export interface PersonActions {
  /** Adds a server that answers, or that asks for a sign-in. One that does neither is not kept. */
  add(workspaceId: WorkspaceId, url: string, options?: AddOptions): Promise<string>;
  remove(workspaceId: WorkspaceId, name: string): Promise<string>;
  list(workspaceId: WorkspaceId): Promise<string>;
  tools(workspaceId: WorkspaceId, server: string): Promise<string>;
  /** Ends a sign-in with the address the person's browser came back to. Only the person who began it can. */
  finishSignIn(workspaceId: WorkspaceId, address: string): Promise<string>;
  /** Removes every server of a person, and what was kept to sign in to any server. */
  erase(workspaceId: WorkspaceId): Promise<void>;
}

export interface PersonActionParts extends RosterParts {
  readonly people: PersonServerStore;
  readonly roster: Roster;
}

export function createPersonActions(parts: PersonActionParts): PersonActions {
  const { people, roster, clock } = parts;
  const entriesOf = async (workspaceId: WorkspaceId) =>
    roster.of(workspaceId, (await people.list(workspaceId)).servers);
  const find = async (workspaceId: WorkspaceId, name: string): Promise<RosterEntry> => {
    const entries = await entriesOf(workspaceId);
    const entry = entries.find(({ spec }) => spec.name === name);
    if (entry !== undefined) return entry;
    const names = entries.map(({ spec }) => spec.name).join(", ");
    throw new InvalidInput(`There is no MCP server named ${quote(name)}; there is ${names === "" ? "none" : names}`);
  };
  const undo = async (workspaceId: WorkspaceId, name: string, url: string) => {
    await roster.forget(workspaceId, name);
    await personSecrets({ name, url }, workspaceId, parts)?.forgetAll();
    return people.remove(workspaceId, name);
  };

  const add: PersonActions["add"] = async (workspaceId, address, options = {}) => {
    const url = checkAddress(address, parts);
    const name = await chooseName(workspaceId, url, options.name, parts);
    const hasSecrets = await keepSecrets(workspaceId, name, url.href, options, parts);
    await people.add(workspaceId, { name, url: url.href, hasSecrets, at: clock.now() });
    const entry = await find(workspaceId, name);
    try {
      return addedText(name, await entry.server.list());
    } catch (error) {
      if (error instanceof SignInNeeded && error.url !== undefined)
        return `Added the MCP server "${name}".\n${signInText(name, error.url)}`;
      await undo(workspaceId, name, url.href);
      throw new InvalidInput(`Not added: ${shownAddress(url.href)}: ${whyNot(error)}`, { cause: error });
    }
  };

  return {
    add,
    async remove(workspaceId, name) {
      const { servers, unreadable } = await people.list(workspaceId);
      const server = servers.find((one) => one.name === name);
      const known = server !== undefined || unreadable.includes(name);
      if (!known && parts.config().servers.some((one) => one.name === name))
        throw new InvalidInput(`"${name}" is there for everybody; only an administrator can remove it`);
      if (!(await undo(workspaceId, name, server?.url ?? "")) && !known)
        throw new InvalidInput(`You have no MCP server named ${quote(name)}`);
      return `Removed the MCP server "${name}" and what was kept to sign in to it.`;
    },
    async list(workspaceId) {
      const { servers, unreadable } = await people.list(workspaceId);
      const shown = roster
        .of(workspaceId, servers)
        .map(({ spec, from, server }) => ({ spec, from, state: server.state(), tools: server.known() }));
      return listText(shown, unreadable, clock.now());
    },
    async tools(workspaceId, name) {
      const { server } = await find(workspaceId, name);
      try {
        return toolsText(name, await server.list());
      } catch (error) {
        if (error instanceof SignInNeeded && error.url !== undefined) return signInText(name, error.url);
        throw new InvalidInput(`"${name}" cannot be asked: ${describeError(error)}`, { cause: error });
      }
    },
    async finishSignIn(workspaceId, address) {
      const callback = parseCallback(address);
      const entries = await entriesOf(workspaceId);
      const state = callback.get("state") ?? "";
      const entry = entries.find(({ spec }) => spec.name === serverOfState(state));
      if (entry === undefined || !(await endSignIn(entry, state, callback, parts)))
        throw new InvalidInput("This sign-in is not one of yours, or it is over; /mcp list shows where to sign in");
      entry.server.forgive();
      return `You are signed in. ${toolsText(entry.spec.name, await entry.server.list())}`;
    },
    async erase(workspaceId) {
      const { servers, unreadable } = await people.list(workspaceId);
      const configured = parts.config().servers.flatMap((spec) => (spec.kind === "http" ? [spec] : []));
      for (const { name, url } of [...servers, ...unreadable.map((name) => ({ name, url: "" })), ...configured])
        await undo(workspaceId, name, url);
    },
  };
}

function checkAddress(address: string, { config, guard }: PersonActionParts): URL {
  if (!config().peopleMayAdd) throw new InvalidInput("People may not add MCP servers of their own here");
  const url = URL.parse(address.trim());
  if (url === null)
    throw new InvalidInput("An MCP server is added by its address, for instance https://example.com/mcp");
  url.hash = "";
  const reason = refusalForUrl(url, new Set((guard.allow ?? []).map((each) => each.toLowerCase())));
  if (reason !== undefined) throw new InvalidInput(`Not added: ${url.host.slice(0, 100)}: ${reason}`);
  return url;
}

async function chooseName(
  workspaceId: WorkspaceId,
  url: URL,
  wanted: string | undefined,
  { people, config }: PersonActionParts,
): Promise<string> {
  const { servers, unreadable } = await people.list(workspaceId);
  const same = servers.find((server) => server.url === url.href);
  if (same !== undefined) throw new InvalidInput(`You have added this server already; it is named "${same.name}"`);
  const names = new Set([...[...servers, ...config().servers].map(({ name }) => name), ...unreadable]);
  if (wanted === undefined) return serverNameFor(url, (name) => names.has(name));
  if (!isServerName(wanted))
    throw new InvalidInput(`${quote(wanted)} cannot be its name; a name is ${SERVER_NAME_RULE}`);
  if (names.has(wanted)) throw new InvalidInput(`There is an MCP server named "${wanted}" already`);
  return wanted;
}

async function keepSecrets(
  workspaceId: WorkspaceId,
  name: string,
  url: string,
  { token, headers }: AddOptions,
  parts: PersonActionParts,
): Promise<boolean> {
  if (token === undefined && headers === undefined) return false;
  const secrets = personSecrets({ name, url }, workspaceId, parts);
  if (secrets === undefined)
    throw new InvalidInput("Tokens cannot be kept here: the administrator has to set PARLEY_MASTER_KEY first");
  await secrets.write("own", ownSecretsSchema.parse({ token, headers }));
  return true;
}

async function endSignIn(
  entry: RosterEntry,
  state: string,
  callback: URLSearchParams,
  parts: PersonActionParts,
): Promise<boolean> {
  const { spec, person } = entry;
  const signIn = parts.roster.signInOf(entry);
  if (spec.kind !== "http" || signIn === undefined || !(await signIn.isExpected(state))) return false;
  const { finishSignIn } = await import("./finish-sign-in.ts");
  await finishSignIn(signIn.provider, callback, {
    url: new URL(spec.url),
    headers: () => ({}),
    allowed: allowedFor(spec, person?.owns === true, parts.guard),
    resolve: resolverOf(parts.guard),
    maxBytes: parts.maxMessageBytes,
    requestMs: spec.connectMs,
  });
  await signIn.close();
  return true;
}

function whyNot(error: unknown): string {
  if (error instanceof SignInNeeded) return "it wants a token: /mcp add <address> token <token>";
  return describeError(error);
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}
