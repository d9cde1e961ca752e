import { z } from "zod";
import { Secret } from "../../kernel/secret.ts";
import {
  isServerName,
  SERVER_NAME_RULE,
  type ConfigText,
  type McpConfig,
  type ServerBase,
  type ServerSpec,
} from "./server-spec.ts";

const secret = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));
const seconds = (fallback: number, what: string) => z.number().positive().max(3600).default(fallback).describe(what);
const effect = z.enum(["read", "idempotent", "once"]);
const approval = z.enum(["ask", "never"]);
const toolOverride = z.strictObject({
  effect: effect.optional(),
  approval: approval.optional(),
  trusted: z
    .boolean()
    .optional()
    .describe("`true` when its results hold no text of strangers; otherwise they count as text from outside."),
  sends: z.boolean().optional().describe("`false` when a `once` call carries nothing out and to nobody else."),
});

const issuer = z
  .url({ protocol: /^https?$/, error: "expected an http or https address" })
  .describe("The authorization server, as its own metadata names it; the client is shown to no other.");

const authSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({ type: z.literal("bearer"), token: secret.describe("Sent as a bearer token; from ${NAME}.") }),
  z.strictObject({
    type: z.literal("oauth").describe("Every person signs in with an account of their own."),
    client: z
      .strictObject({ id: z.string().min(1), secret: secret.optional(), issuer })
      .optional()
      .describe("What was registered for the bot. Unset: it registers itself when somebody signs in."),
    scope: z.string().min(1).optional(),
  }),
  z.strictObject({
    type: z.literal("client_credentials").describe("The bot signs in as itself, for everybody."),
    client: z.strictObject({ id: z.string().min(1), secret, issuer }),
    scope: z.string().min(1).optional(),
  }),
]);

const serverSchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether the server is used at all."),
    command: z.string().min(1).optional().describe("The program that is the server; it speaks over stdin and stdout."),
    args: z.array(z.string()).optional().describe("The program's arguments."),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
      .optional()
      .describe(
        "Variables for the program, besides PATH, HOME and a few others. Nothing else of the environment gets there.",
      ),
    cwd: z.string().min(1).optional().describe("The program's working directory."),
    url: z
      .url({ protocol: /^https?$/, error: "expected an http or https address" })
      .optional()
      .describe("The address of a server that speaks streamable HTTP."),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/), z.string().regex(/^[^\r\n]*$/))
      .optional()
      .describe("Headers of every request to the server, and to no other."),
    auth: authSchema.optional().describe("How the server is told who is calling."),
    allow: z
      .array(z.string().regex(/^[^\s/:]+:\d+$|^\[[0-9a-fA-F:.]+\]:\d+$/, { error: "expected host:port" }))
      .optional()
      .describe("Further host:port pairs on private addresses it may send us to, such as its authorization server."),
    only: z.array(z.string().min(1)).optional().describe("The only tools that are offered, by the server's own names."),
    tools: z
      .record(z.string().min(1), toolOverride)
      .default({})
      .describe("How single tools are treated, whatever the server says of them."),
    approval: approval.default("never").describe("Whether the person is asked before every call."),
    connect_timeout_s: seconds(20, "Seconds a start may take until the server has answered."),
    call_timeout_s: seconds(60, "Seconds one call may take."),
    idle_stop_s: z
      .number()
      .min(0)
      .max(86_400)
      .default(300)
      .describe("Seconds without a call after which it is stopped until it is needed again; 0 is never."),
  })
  .superRefine((server, context) => {
    const only = (what: string, keys: readonly (keyof typeof server)[]) => {
      for (const key of keys)
        if (server[key] !== undefined) context.addIssue({ code: "custom", path: [key], message: `only for ${what}` });
    };
    if ((server.command === undefined) === (server.url === undefined))
      context.addIssue({ code: "custom", path: [], message: "needs either a command or a url" });
    else if (server.command === undefined) only("a server with a command", ["args", "env", "cwd"]);
    else only("a server with a url", ["headers", "auth", "allow"]);
    if (server.url !== undefined && /^[^/]*\/\/[^/]*@/.test(server.url))
      context.addIssue({ code: "custom", path: ["url"], message: "must hold no user name or password" });
  });

/** The shape of `mcp.yaml`. A section whose keys are all commented out counts as not given. */
export const mcpFileSchema = z.strictObject({
  people_may_add: z.boolean().default(true).describe("Whether people may add servers of their own with `/mcp add`."),
  servers: z
    .record(z.string(), serverSchema)
    .nullish()
    .superRefine((servers, context) => {
      for (const name of Object.keys(servers ?? {}))
        if (!isServerName(name))
          context.addIssue({ code: "custom", path: [name], message: `a server's name is ${SERVER_NAME_RULE}` });
    })
    .describe("The servers everybody has, by name. Their tools are called name.tool."),
});

/** What a file says besides its values. */
export interface FileFacts {
  readonly fingerprintOf: (server: string) => string;
  /** Whether the environment filled something into a value that now reads like this. */
  readonly isFilledIn: (text: string) => boolean;
}

/** The settings as the rest of the program uses them. */
export function toMcpConfig(file: z.output<typeof mcpFileSchema>, facts: FileFacts): McpConfig {
  const servers = Object.entries(file.servers ?? {}).filter(([, server]) => server.enabled);
  return {
    servers: servers.map(([name, server]) => toSpec(name, server, facts)),
    peopleMayAdd: file.people_may_add,
  };
}

function toSpec(name: string, server: z.output<typeof serverSchema>, facts: FileFacts): ServerSpec {
  const base: ServerBase = {
    name,
    fingerprint: facts.fingerprintOf(name),
    only: server.only,
    tools: server.tools,
    approval: server.approval,
    connectMs: server.connect_timeout_s * 1000,
    callMs: server.call_timeout_s * 1000,
    idleMs: server.idle_stop_s === 0 ? undefined : server.idle_stop_s * 1000,
  };
  if (server.command !== undefined) {
    const { command, args = [], env = {}, cwd } = server;
    return { ...base, kind: "stdio", command, args, env: hideFilledIn(env, facts), cwd };
  }
  const { url = "", headers = {}, auth = { type: "none" as const }, allow = [] } = server;
  return {
    ...base,
    kind: "http",
    url,
    headers: hideFilledIn(headers, facts),
    auth,
    allow: allow.map((each) => each.toLowerCase()),
  };
}

function hideFilledIn(texts: Readonly<Record<string, string>>, { isFilledIn }: FileFacts): Record<string, ConfigText> {
  const entries = Object.entries(texts).map(
    ([key, text]) => [key, isFilledIn(text) ? new Secret(text) : text] as const,
  );
  return Object.fromEntries(entries);
}
