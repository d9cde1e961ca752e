import type { z } from "zod";
import { createdKeySchema, keySchema, pageSchema, type createKeySchema } from "../api/contract.ts";
import { InvalidId, parseWorkspaceId } from "../kernel/ids.ts";
import { CommandFailed } from "./command-failed.ts";
import { printJson, printLine, type Io } from "./io.ts";
import { connectToBot } from "./settings.ts";
import { renderTable } from "./table.ts";

/** What is said on the command line about a new key. */
export interface KeyOptions {
  readonly name: string;
  readonly scope: "admin" | "chat" | "read";
  /** The only person it may act for. */
  readonly user?: string;
  readonly url?: string;
}

/** `parley keys create`: makes an API key and prints it, this once. Returns the exit code. */
export async function createKey(options: KeyOptions, io: Io): Promise<number> {
  const { name, scope, user, url } = options;
  const body: z.input<typeof createKeySchema> = {
    name,
    scopes: [scope],
    ...(user === undefined ? {} : { user_id: parseUser(user) }),
  };
  const bot = await connectToBot(io, url);
  const { id, key } = await bot.ask({ method: "POST", path: "/v1/keys", body }, createdKeySchema);
  printLine(io.output, key);
  printLine(
    io.errors,
    `This is the key ${id}, shown this once: keep it in a safe place. It is sent as Authorization: Bearer <key>.`,
  );
  printLine(
    io.errors,
    "While there is any key, every request to the API needs one; parley uses the one in PARLEY_API_KEY.",
  );
  return 0;
}

/** `parley keys list`: prints the stored keys, without the keys themselves. Returns the exit code. */
export async function listKeys(options: { readonly url?: string; readonly json?: true }, io: Io): Promise<number> {
  const bot = await connectToBot(io, options.url);
  const { data } = await bot.ask({ path: "/v1/keys" }, pageSchema(keySchema));
  if (options.json === true) {
    printJson(io.output, data);
    return 0;
  }
  if (data.length === 0) {
    printLine(io.errors, "No keys are stored.");
    return 0;
  }
  const rows = data.map(({ id, name, scopes, user_id, created_at }) => [
    id,
    name.replaceAll(/\s/g, " "),
    scopes.join(","),
    user_id ?? "everyone",
    created_at,
  ]);
  printLine(io.output, renderTable([["ID", "NAME", "SCOPE", "USER", "CREATED"], ...rows]));
  return 0;
}

/** `parley keys revoke`: takes a key back at once. Returns the exit code. */
export async function revokeKey(id: string, options: { readonly url?: string }, io: Io): Promise<number> {
  const bot = await connectToBot(io, options.url);
  await bot.tell({ method: "DELETE", path: `/v1/keys/${encodeURIComponent(id)}` });
  printLine(io.output, `The key ${id} is no longer accepted.`);
  return 0;
}

function parseUser(text: string) {
  try {
    return parseWorkspaceId(text);
  } catch (error) {
    if (error instanceof InvalidId) throw new CommandFailed(2, `--user: ${error.message}`, { cause: error });
    throw error;
  }
}
