import { lookup as lookupHost } from "node:dns/promises";
import { z } from "zod";
import type { WorkspaceId } from "../../kernel/ids.ts";
import type { Clock, Log, NewId } from "../../kernel/ports.ts";
import { hostAndPort } from "../fetch-guard.ts";
import type { ResolveHost } from "../pinned-connect.ts";
import { revealText, type HttpSpec, type ServerSpec, type StdioSpec } from "./server-spec.ts";
import type { ConnectionTarget, HttpSignIn } from "./connection-target.ts";
import { createPersonSignIn, type PersonSignIn } from "./oauth-provider.ts";
import { programEnv, type Environment } from "./program-env.ts";
import { createServerSecrets, type McpCredentials, type ServerSecrets } from "./server-secrets.ts";
import { SessionFailure, type Session } from "./session.ts";
import { SignInNeeded } from "./sign-in-needed.ts";

/** What connections to all servers have in common. */
export interface ConnectionParts {
  readonly credentials?: McpCredentials | undefined;
  /** Where authorization servers send people's browsers; without it nobody can sign in. */
  readonly oauth?: { readonly redirectUrl: string } | undefined;
  /** Which addresses may be reached although they are not public, and how names are resolved. */
  readonly guard: { readonly allow?: readonly string[]; readonly resolve?: ResolveHost };
  /** This process' environment. */
  readonly env: Environment;
  readonly maxMessageBytes: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** The person a connection is for. */
export interface ConnectionPerson {
  readonly workspaceId: WorkspaceId;
  /** The server is the person's own: they may have a token for it, and its address is guarded. */
  readonly owns: boolean;
}

/** What a person stored for a server of their own. */
export const ownSecretsSchema = z.object({
  token: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

/** Opens one connection to a server, for everybody or for one person. Throws {@link SignInNeeded} before it can. */
export async function openServer(
  spec: ServerSpec,
  person: ConnectionPerson | undefined,
  parts: ConnectionParts,
  signal: AbortSignal,
  onToolsChanged: () => void,
): Promise<Session> {
  // Most installations have no MCP server, and the client library takes its time and memory.
  const { openSession } = await import("./open-session.ts");
  const { log, maxMessageBytes } = parts;
  const { connectMs, callMs } = spec;
  const options = { log: log.with({ mcp: spec.name }), connectMs, callMs, maxMessageBytes, onToolsChanged };
  if (spec.kind === "stdio") return openSession(programTarget(spec, parts), options, signal);
  const signIn = person === undefined ? undefined : personSignIn(spec, person, parts);
  const target = await httpTarget(spec, person, parts, signIn);
  const page = target.auth.kind === "oauth" ? await signIn?.openPage() : undefined;
  if (page !== undefined) throw new SignInNeeded(SIGN_IN, page);
  try {
    return await openSession(target, options, signal);
  } catch (error) {
    if (person === undefined || !(error instanceof SessionFailure) || error.code !== "unauthorized") throw error;
    throw new SignInNeeded(target.auth.kind === "bearer" ? TOKEN_REFUSED : SIGN_IN, await signIn?.openPage());
  }
}

const SIGN_IN = "it wants a sign-in";
const TOKEN_REFUSED = "it refuses the token";

/** A person's sign-in to this server; undefined where nobody can sign in. */
export function personSignIn(
  spec: HttpSpec,
  { workspaceId }: ConnectionPerson,
  parts: ConnectionParts,
): PersonSignIn | undefined {
  const secrets = personSecrets(spec, workspaceId, parts);
  if (secrets === undefined || parts.oauth === undefined) return undefined;
  const { auth } = spec;
  const own = auth.type === "oauth" ? auth : undefined;
  return createPersonSignIn({
    server: spec.name,
    secrets,
    redirectUrl: parts.oauth.redirectUrl,
    client: own?.client,
    scope: own?.scope,
    newId: parts.newId,
    clock: parts.clock,
  });
}

/** A person's secrets for this server; undefined where no secrets can be kept. */
export function personSecrets(
  { name: server, url }: Pick<HttpSpec, "name" | "url">,
  workspaceId: WorkspaceId,
  { credentials, clock }: Pick<ConnectionParts, "credentials" | "clock">,
): ServerSecrets | undefined {
  return credentials === undefined ? undefined : createServerSecrets({ credentials, workspaceId, server, url, clock });
}

/** The addresses a server may lead to besides public ones. */
export function allowedFor(spec: HttpSpec, owns: boolean, guard: ConnectionParts["guard"]): ReadonlySet<string> {
  const everywhere = (guard.allow ?? []).map((each) => each.toLowerCase());
  // What an administrator wrote down may be anywhere; what a person wrote may not.
  return new Set(owns ? everywhere : [...everywhere, ...spec.allow, hostAndPort(new URL(spec.url))]);
}

/** How names are resolved. */
export function resolverOf(guard: ConnectionParts["guard"]): ResolveHost {
  return guard.resolve ?? ((host) => lookupHost(host, { all: true }));
}

function programTarget({ command, args, cwd, env }: StdioSpec, parts: ConnectionParts): ConnectionTarget {
  return { kind: "stdio", program: { command, args, cwd, env: programEnv(parts.env, env) } };
}

async function httpTarget(
  spec: HttpSpec,
  person: ConnectionPerson | undefined,
  parts: ConnectionParts,
  signIn: PersonSignIn | undefined,
): Promise<Extract<ConnectionTarget, { kind: "http" }>> {
  const owns = person?.owns === true;
  const own = owns ? await personSecrets(spec, person.workspaceId, parts)?.read("own", ownSecretsSchema) : undefined;
  const configured = Object.entries(spec.headers).map(([name, value]) => [name, revealText(value)] as const);
  return {
    kind: "http",
    url: new URL(spec.url),
    headers: { ...Object.fromEntries(configured), ...own?.headers },
    auth: own?.token === undefined ? authOf(spec, signIn) : { kind: "bearer", token: own.token },
    allowed: allowedFor(spec, owns, parts.guard),
    resolve: resolverOf(parts.guard),
  };
}

function authOf({ auth }: HttpSpec, signIn: PersonSignIn | undefined): HttpSignIn {
  if (auth.type === "bearer") return { kind: "bearer", token: auth.token.reveal() };
  if (auth.type === "client_credentials")
    return {
      kind: auth.type,
      clientId: auth.client.id,
      clientSecret: auth.client.secret.reveal(),
      issuer: auth.client.issuer,
      scope: auth.scope,
    };
  return signIn === undefined ? { kind: "none" } : { kind: "oauth", provider: signIn.provider };
}
