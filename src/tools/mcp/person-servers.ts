import { z } from "zod";
import { InvalidInput } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import { parseJson } from "../../kernel/json.ts";
import type { RedisConnection } from "../../store/connection.ts";
import { defineScript } from "../../store/script.ts";
import { isServerName } from "./server-spec.ts";

/** A server a person added; its secrets are kept elsewhere. */
export interface PersonServer {
  readonly name: string;
  readonly url: string;
  /** Whether a token or headers of the person's are kept for it. */
  readonly hasSecrets: boolean;
  /** When it was added, in milliseconds since 1970. */
  readonly at: number;
}

/** The servers people added. No call reaches another person's. */
export interface PersonServerStore {
  /** Safe to repeat. Throws `InvalidInput` when the name is taken or there are too many. */
  add(workspaceId: WorkspaceId, server: PersonServer): Promise<void>;
  /** Tells whether there was such a server. */
  remove(workspaceId: WorkspaceId, name: string): Promise<boolean>;
  /** By name, and the names of damaged entries, which are left out. */
  list(
    workspaceId: WorkspaceId,
  ): Promise<{ readonly servers: readonly PersonServer[]; readonly unreadable: readonly string[] }>;
}

/** How many servers one person may add. */
export const MAX_PERSON_SERVERS = 20;

const addPersonServer = defineScript({
  file: new URL("./add-person-server.lua", import.meta.url),
  keys: ["servers"],
  args: ["name", "server", "most"],
  reply: z.enum(["added", "taken", "full"]),
});

/** Keeps people's servers in Redis, one hash for each person, until they are removed. */
export function createPersonServerStore(redis: RedisConnection): PersonServerStore {
  return {
    async add(workspaceId, { name, url, hasSecrets, at }) {
      const stored: z.input<typeof storedSchema> = { url, secrets: hasSecrets, at };
      const reply = await addPersonServer.run(
        redis,
        { servers: keyOf(workspaceId) },
        { name, server: JSON.stringify(stored), most: MAX_PERSON_SERVERS },
      );
      if (reply === "taken") throw new InvalidInput(`There is an MCP server named "${name}" already`);
      if (reply === "full")
        throw new InvalidInput(`There are ${MAX_PERSON_SERVERS} MCP servers already; remove one first`);
    },
    async remove(workspaceId, name) {
      return (await redis.hdel(keyOf(workspaceId), name)) === 1;
    },
    async list(workspaceId) {
      const servers: PersonServer[] = [];
      const unreadable: string[] = [];
      const stored = await redis.hgetall(keyOf(workspaceId));
      for (const name of Object.keys(stored).toSorted()) {
        const server = parseStored(name, stored[name] ?? "");
        if (server === undefined) unreadable.push(name);
        else servers.push(server);
      }
      return { servers, unreadable };
    },
  };
}

function keyOf(workspaceId: WorkspaceId): string {
  return `{ws:${workspaceId}}:mcp`;
}

const storedSchema = z.object({
  url: z.url({ protocol: /^https?$/ }),
  secrets: z.boolean(),
  at: z.number(),
});

function parseStored(name: string, text: string): PersonServer | undefined {
  const stored = storedSchema.safeParse(parseJson(text));
  if (!stored.success || !isServerName(name)) return undefined;
  const { url, secrets, at } = stored.data;
  return { name, url, hasSecrets: secrets, at };
}
