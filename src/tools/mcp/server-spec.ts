import type { Secret } from "../../kernel/secret.ts";

/** How one tool of a server is treated, where its own hints are not to be trusted. */
export interface ToolOverride {
  readonly effect?: "read" | "idempotent" | "once" | undefined;
  readonly approval?: "ask" | "never" | undefined;
  /** See `Tool`. */
  readonly trusted?: boolean | undefined;
  readonly sends?: boolean | undefined;
}

/** What every server has, however it is reached. */
export interface ServerBase {
  readonly name: string;
  /** Changes with every setting of the server and with what the environment fills in. */
  readonly fingerprint: string;
  /** The only tools that are offered; all of them when unset. */
  readonly only?: readonly string[] | undefined;
  readonly tools: Readonly<Record<string, ToolOverride>>;
  readonly approval: "ask" | "never";
  readonly connectMs: number;
  readonly callMs: number;
  /** After how long without a call it is stopped; `undefined` is never. */
  readonly idleMs: number | undefined;
}

/** A value as it stands in the file, or a secret when the environment filled something in. */
export type ConfigText = string | Secret;

/** The text of a value, for the one place that uses it. */
export function revealText(text: ConfigText): string {
  return typeof text === "string" ? text : text.reveal();
}

/** A server that is a program on this machine. */
export interface StdioSpec extends ServerBase {
  readonly kind: "stdio";
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, ConfigText>>;
  readonly cwd?: string | undefined;
}

/** A server reached over streamable HTTP. */
export interface HttpSpec extends ServerBase {
  readonly kind: "http";
  readonly url: string;
  readonly headers: Readonly<Record<string, ConfigText>>;
  readonly auth: HttpAuth;
  /** Further `host:port` pairs it may send us to, for instance its authorization server on a private address. */
  readonly allow: readonly string[];
}

export type HttpAuth =
  | { readonly type: "none" }
  | { readonly type: "bearer"; readonly token: Secret }
  /** Every person signs in with an account of their own; without a client, the bot registers itself. */
  | { readonly type: "oauth"; readonly client?: OAuthClient | undefined; readonly scope?: string | undefined }
  /** The bot signs in as itself, for everybody. */
  | {
      readonly type: "client_credentials";
      readonly client: OAuthClient & { readonly secret: Secret };
      readonly scope?: string | undefined;
    };

/** The bot as an authorization server knows it. */
export interface OAuthClient {
  readonly id: string;
  readonly secret?: Secret | undefined;
  /** The authorization server, as it calls itself; nobody else gets to see the client. */
  readonly issuer: string;
}

export type ServerSpec = StdioSpec | HttpSpec;

/** The settings in `mcp.yaml`. */
export interface McpConfig {
  readonly servers: readonly ServerSpec[];
  /** Whether people may add servers of their own. */
  readonly peopleMayAdd: boolean;
}

/** No file, or an empty one. */
export const EMPTY_CONFIG: McpConfig = { servers: [], peopleMayAdd: true };

const SERVER_NAME = /^[a-z][a-z0-9-]{0,23}$/;
/** What a server may be called. No `_` and no `.`: the first of them in a tool's name ends the server's. */
export const isServerName = (name: string): boolean => SERVER_NAME.test(name);
/** The rule behind {@link isServerName}, for people. */
export const SERVER_NAME_RULE = "1 to 24 lower-case letters, digits or -, beginning with a letter";
