import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import type { Clock, Log, NewId } from "../../kernel/ports.ts";
import type { Tool } from "../contract.ts";
import type { ResolveHost } from "../pinned-connect.ts";
import type { ToolSource } from "../source.ts";
import { runMcpCommand } from "./command.ts";
import { configSecretsOf, secretsOf } from "./config-secrets.ts";
import type { McpConfigWatch } from "./config-watch.ts";
import type { ServerState } from "./keeper.ts";
import { createMcpTool, type StoreArtifact } from "./mcp-tool.ts";
import { createPersonActions, type PersonActions } from "./person-actions.ts";
import type { PersonServerStore } from "./person-servers.ts";
import type { Environment } from "./program-env.ts";
import { createRoster, type RosterEntry } from "./roster.ts";
import type { McpCredentials } from "./server-secrets.ts";
import { stateWords } from "./texts.ts";

/** The tools of all MCP servers, and what people and operators do with the servers. `close` ends every server. */
export interface McpTools extends ToolSource, PersonActions {
  /** Does what a person wrote after `/mcp` and gives the text to answer with, also when it could not be done. */
  command(workspaceId: WorkspaceId, rest: string): Promise<string>;
  /** Every server this process knows of now. */
  status(): readonly McpServerStatus[];
  /** Values in the settings that no log may show; they change with the settings. */
  secrets(): readonly string[];
}

/** One server as an operator sees it. */
export interface McpServerStatus extends ServerState {
  readonly name: string;
  readonly kind: "stdio" | "http";
  readonly from: "config" | "person";
  /** Whose connection it is; absent when everybody shares it. */
  readonly workspaceId?: WorkspaceId;
  /** How many tools it offers; absent until they were read. */
  readonly tools?: number;
  /** What of its list is not offered, in sentences. */
  readonly notes: readonly string[];
}

export interface McpToolsOptions {
  /** The settings; the caller closes the watch. */
  readonly config: Pick<McpConfigWatch, "current" | "problems" | "onChange">;
  readonly people: PersonServerStore;
  /** Without it nobody can store a token or sign in. */
  readonly credentials?: McpCredentials;
  /** Where authorization servers send people's browsers; without it nobody can sign in. */
  readonly oauth?: { readonly redirectUrl: string };
  /** As for the safe fetch: exact `host:port` pairs that people's servers may be at although they are not public. */
  readonly guard?: { readonly allow?: readonly string[]; readonly resolve?: ResolveHost };
  /** This process' environment, of which programs get a few harmless variables. */
  readonly env: Environment;
  /** Where files in results go; without it they are only described. */
  readonly storeArtifact?: StoreArtifact;
  /** Whether a tool from elsewhere has this name, dots written as `_`; a server's tool then gets another. */
  readonly taken?: (wireName: string) => boolean;
  readonly log: Log;
  readonly clock: Clock;
  readonly newId: NewId;
  /** How long a run waits for servers whose tools are not known yet. */
  readonly patienceMs?: number;
  /** The largest message a server may send. */
  readonly maxMessageBytes?: number;
}

const MAX_PERSONAL = 500;

/** Makes the source of MCP tools. Servers are started when they are first needed. */
export function createMcpTools(options: McpToolsOptions): McpTools {
  const { config, people, log, clock, patienceMs = 5_000 } = options;
  const parts = {
    ...options,
    guard: options.guard ?? {},
    maxMessageBytes: options.maxMessageBytes ?? 8 * 1024 * 1024,
    taken: options.taken ?? (() => false),
    config: () => config.current(),
    maxPersonal: MAX_PERSONAL,
  };
  const roster = createRoster(parts);
  const actions = createPersonActions({ ...parts, people, roster });
  config.onChange(() => roster.prune());

  const entriesOf = async (workspaceId: WorkspaceId): Promise<readonly RosterEntry[]> => {
    try {
      return roster.of(workspaceId, (await people.list(workspaceId)).servers);
    } catch (error) {
      log.warn({ error: describeError(error) }, "a person's MCP servers could not be read");
      return roster.shared();
    }
  };
  const toolsOf = ({ spec, server }: RosterEntry): readonly Tool[] => {
    const home = {
      serverName: spec.name,
      server,
      callMs: spec.callMs,
      secrets: secretsOf(spec),
      storeArtifact: options.storeArtifact,
    };
    return (server.known()?.tools ?? []).map((listed) => createMcpTool(listed, home));
  };

  return {
    ...actions,
    async toolsFor(workspaceId) {
      const entries = await entriesOf(workspaceId);
      // A server that hangs holds nobody up for longer; it goes on starting, and is there for the next run.
      const listing = Promise.allSettled(entries.map(({ server }) => server.list()));
      await withPatience(listing, patienceMs);
      return entries.flatMap(toolsOf);
    },
    problems: () => [
      ...config.problems(),
      ...roster.shared().flatMap(({ spec, server }) => problemsOf(spec.name, server.state(), clock.now())),
      ...roster.shared().flatMap(({ server }) => server.known()?.notes ?? []),
    ],
    command: (workspaceId, rest) => runMcpCommand(actions, workspaceId, rest),
    status: () => [...roster.shared(), ...roster.all().filter(({ person }) => person !== undefined)].map(statusOf),
    secrets: () => configSecretsOf(config.current()),
    close: () => roster.close(),
  };
}

async function withPatience(work: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: over.signal }).catch(() => undefined)]);
  over.abort();
}

function problemsOf(name: string, state: ServerState, now: number): readonly string[] {
  return state.is === "paused" || state.is === "off" || (state.is === "idle" && state.trouble !== undefined)
    ? [`The MCP server "${name}" is ${stateWords(state, now)}`]
    : [];
}

function statusOf({ spec, from, person, server }: RosterEntry): McpServerStatus {
  const known = server.known();
  return {
    name: spec.name,
    kind: spec.kind,
    from,
    ...(person === undefined ? {} : { workspaceId: person.workspaceId }),
    ...server.state(),
    ...(known === undefined ? {} : { tools: known.tools.length }),
    notes: known?.notes ?? [],
  };
}
