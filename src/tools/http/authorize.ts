import { OutsideError } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";
import type { AccessTokens, TokenClient } from "./access-tokens.ts";
import type { HttpTool, SecretSource } from "./schema.ts";

/** What is added to a request so that the service accepts it, and every secret in it. */
export interface Grant {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly secrets: readonly string[];
  /** Present when the service may refuse a token that was good a moment ago: forgets it. */
  readonly renew?: () => void;
}

/** Gives a person's own credential. Has the shape of the credential store. */
export interface RevealCredential {
  reveal(workspaceId: WorkspaceId, name: string): Promise<Secret | undefined>;
}

/** Where the secrets of one person's calls come from. */
export interface GrantSources {
  readonly workspaceId: WorkspaceId;
  /** Undefined when this installation keeps none. */
  readonly credentials: RevealCredential | undefined;
  readonly tokens: AccessTokens;
  readonly sendTokenRequest: TokenClient["send"];
  readonly now: number;
}

/**
 * Collects the headers and query parameters that prove who is calling. Throws `OutsideError` (`unauthorized`) that names
 * the credential when the person has none of that name.
 */
export async function authorize(tool: HttpTool, sources: GrantSources): Promise<Grant> {
  const [headers, auth] = await Promise.all([fixedHeaders(tool, sources), authOf(tool, sources)]);
  return {
    ...auth,
    headers: { ...headers.headers, ...auth.headers },
    secrets: [...headers.secrets, ...auth.secrets],
  };
}

// Whoever writes a token into a plain header wants it hidden all the same.
const SECRETIVE = /key|token|secret|auth|passw|cookie|session|signature/i;

async function fixedHeaders(tool: HttpTool, sources: GrantSources) {
  const headers: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(tool.headers)) {
    const text = typeof value === "string" ? value : await revealOwn(tool, value.credential, sources);
    Object.assign(headers, header(tool, name, text));
    if (typeof value !== "string" || SECRETIVE.test(name)) secrets.push(text, ...text.split(" "));
  }
  return { headers, secrets };
}

async function authOf(tool: HttpTool, sources: GrantSources): Promise<Grant> {
  const { auth } = tool;
  switch (auth.type) {
    case "none":
      return { headers: {}, query: [], secrets: [] };
    case "api_key": {
      const key = await reveal(tool, auth.key, sources);
      return auth.in === "query"
        ? { headers: {}, query: [[auth.name, key]], secrets: [key] }
        : { headers: header(tool, auth.name, key), query: [], secrets: [key] };
    }
    case "bearer": {
      const token = await reveal(tool, auth.token, sources);
      return { headers: header(tool, "authorization", `Bearer ${token}`), query: [], secrets: [token] };
    }
    case "basic": {
      const password = await reveal(tool, auth.password, sources);
      const pair = Buffer.from(`${auth.username}:${password}`).toString("base64");
      return { headers: { authorization: `Basic ${pair}` }, query: [], secrets: [password, pair] };
    }
    case "oauth2": {
      const clientSecret = new Secret(await reveal(tool, auth.client_secret, sources));
      const client: TokenClient = { auth, clientSecret, send: sources.sendTokenRequest };
      const token = await sources.tokens.get(client, sources.now);
      return {
        headers: header(tool, "authorization", `Bearer ${token.reveal()}`),
        query: [],
        secrets: [token.reveal(), clientSecret.reveal()],
        renew: () => sources.tokens.drop(client, token),
      };
    }
  }
}

// What a header cannot hold, a line break above all, would fail far away from here or become another header.
function header(tool: HttpTool, name: string, value: string): Record<string, string> {
  if (/^[\t\x20-\x7E\x80-\xFF]*$/.test(value)) return { [name.toLowerCase()]: value };
  throw new OutsideError(`${tool.name}: the secret for the header ${name} holds a character that no header can hold`, {
    code: "unauthorized",
  });
}

async function reveal(tool: HttpTool, source: SecretSource, sources: GrantSources): Promise<string> {
  return source instanceof Secret ? source.reveal() : revealOwn(tool, source.credential, sources);
}

async function revealOwn(tool: HttpTool, name: string, { credentials, workspaceId }: GrantSources): Promise<string> {
  if (credentials === undefined)
    throw new OutsideError(
      `${tool.name} needs each person's credential "${name}", and this installation keeps none: the administrator has not set PARLEY_MASTER_KEY`,
      { code: "unauthorized" },
    );
  const value = await credentials.reveal(workspaceId, name);
  if (value === undefined)
    throw new OutsideError(`${tool.name} needs the person's own credential "${name}", which is not stored`, {
      code: "unauthorized",
    });
  return value.reveal();
}
