import type { WorkspaceId } from "../../kernel/ids.ts";
import type { HttpSpec, McpConfig, ServerSpec } from "./server-spec.ts";
import { openServer, personSignIn, type ConnectionParts, type ConnectionPerson } from "./open-server.ts";
import type { PersonSignIn } from "./oauth-provider.ts";
import type { PersonServer } from "./person-servers.ts";
import { createServer, type Server } from "./server.ts";

/** A server as one person has it. */
export interface RosterEntry {
  readonly spec: ServerSpec;
  readonly from: "config" | "person";
  readonly server: Server;
  /** The person it is for alone; undefined when all share it. */
  readonly person: ConnectionPerson | undefined;
}

/** All servers that are kept, each made when it is first asked for. */
export interface Roster {
  /** Those everybody shares. */
  shared(): readonly RosterEntry[];
  /** All of one person: the shared ones, those they sign in to, and their own. */
  of(workspaceId: WorkspaceId, own: readonly PersonServer[]): readonly RosterEntry[];
  /** Every entry that was made and is still kept. */
  all(): readonly RosterEntry[];
  /** The person's sign-in to a server, where there can be one. */
  signInOf(entry: RosterEntry): PersonSignIn | undefined;
  /** Ends a server a person removed. */
  forget(workspaceId: WorkspaceId, name: string): Promise<void>;
  /** Ends the servers that are no longer configured as they were, when their calls are over. */
  prune(): void;
  close(): Promise<void>;
}

export interface RosterParts extends ConnectionParts {
  readonly config: () => McpConfig;
  readonly taken: (wireName: string) => boolean;
  /** How many servers of single people are kept at the same time. */
  readonly maxPersonal: number;
}

export function createRoster(parts: RosterParts): Roster {
  // In the order of use: the first is the one unused for longest.
  const kept = new Map<string, RosterEntry>();
  const leaving = new Set<Server>();

  const leave = (key: string, now = false): Promise<void> => {
    const entry = kept.get(key);
    kept.delete(key);
    if (entry === undefined) return Promise.resolve();
    leaving.add(entry.server);
    return entry.server.retire(now).finally(() => leaving.delete(entry.server));
  };

  const keep = (spec: ServerSpec, from: RosterEntry["from"], person: ConnectionPerson | undefined): RosterEntry => {
    const key = keyOf(from, person, spec.name);
    const before = kept.get(key);
    const entry = before?.spec.fingerprint === spec.fingerprint ? before : makeEntry(spec, from, person, parts);
    if (before !== undefined && before !== entry) void leave(key);
    kept.delete(key);
    kept.set(key, entry);
    return entry;
  };

  const limitPersonal = () => {
    const personal = [...kept].filter(([, { person }]) => person !== undefined);
    for (const [key] of personal.slice(0, Math.max(0, personal.length - parts.maxPersonal))) void leave(key);
  };

  const shared = () =>
    parts
      .config()
      .servers.filter((spec) => !isPersonal(spec))
      .map((spec) => keep(spec, "config", undefined));

  return {
    shared,
    of: (workspaceId, own) => {
      const { servers } = parts.config();
      const signedIn = servers.filter(isPersonal).map((spec) => keep(spec, "config", { workspaceId, owns: false }));
      const names = new Set(servers.map(({ name }) => name));
      // An administrator's server of the same name came later, and counts.
      const theirs = own
        .filter(({ name }) => !names.has(name))
        .map((server) => keep(specOf(server), "person", { workspaceId, owns: true }));
      limitPersonal();
      return [...shared(), ...signedIn, ...theirs];
    },
    all: () => [...kept.values()],
    signInOf: ({ spec, person }) =>
      spec.kind === "http" && person !== undefined ? personSignIn(spec, person, parts) : undefined,
    forget: (workspaceId, name) => leave(keyOf("person", { workspaceId, owns: true }, name), true),
    prune: () => {
      const current = new Set(parts.config().servers.map(({ name, fingerprint }) => `${name} ${fingerprint}`));
      for (const [key, { from, spec }] of kept)
        if (from === "config" && !current.has(`${spec.name} ${spec.fingerprint}`)) void leave(key);
    },
    close: async () => {
      const servers = [...leaving, ...[...kept.values()].map(({ server }) => server)];
      kept.clear();
      await Promise.all(servers.map((server) => server.retire(true)));
    },
  };
}

function isPersonal(spec: ServerSpec): spec is HttpSpec {
  return spec.kind === "http" && spec.auth.type === "oauth";
}

// No id holds a space.
function keyOf(from: RosterEntry["from"], person: ConnectionPerson | undefined, name: string): string {
  return `${from} ${person?.workspaceId ?? ""} ${name}`;
}

/** A person's own server with the settings all of them have. */
function specOf({ name, url, at }: PersonServer): HttpSpec {
  return {
    kind: "http",
    name,
    url,
    fingerprint: `${at} ${url}`,
    headers: {},
    auth: { type: "none" },
    allow: [],
    tools: {},
    approval: "never",
    connectMs: 15_000,
    callMs: 60_000,
    idleMs: 300_000,
  };
}

function makeEntry(
  spec: ServerSpec,
  from: RosterEntry["from"],
  person: ConnectionPerson | undefined,
  parts: RosterParts,
): RosterEntry {
  const server = createServer({
    rules: { server: spec.name, only: spec.only, tools: spec.tools, approval: spec.approval, taken: parts.taken },
    open: (signal, onToolsChanged) => openServer(spec, person, parts, signal, onToolsChanged),
    connectMs: spec.connectMs,
    idleMs: spec.idleMs,
    clock: parts.clock,
    log: parts.log.with({ mcp: spec.name }),
  });
  return { spec, from, server, person };
}
