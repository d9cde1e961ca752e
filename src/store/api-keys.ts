import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import { parseWorkspaceId, type WorkspaceId } from "../kernel/ids.ts";
import type { Clock, NewId } from "../kernel/ports.ts";
import type { Secret } from "../kernel/secret.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

const SCOPES = ["admin", "chat", "read"] as const;

/** What a key may do: everything, hold conversations, or only look. */
export type ApiKeyScope = (typeof SCOPES)[number];

/** A key as it may be shown. The key itself is not kept anywhere, only its SHA-256. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
  /** The only person the key may act for; without one it may act for everyone. */
  readonly userId?: WorkspaceId;
  /** When it was made, in milliseconds since 1970; 0 for the key from the configuration. */
  readonly createdAt: number;
}

/** Makes, finds and takes back API keys. */
export interface ApiKeyStore {
  /** Makes a key and shows it for the only time. Throws `InvalidInput` for a bad name, no scope, or too many keys. */
  create(request: {
    readonly name: string;
    readonly scopes: readonly ApiKeyScope[];
    readonly userId?: WorkspaceId;
  }): Promise<{ readonly id: string; readonly key: string }>;
  /** All stored keys, oldest first. */
  list(): Promise<readonly ApiKey[]>;
  /** Takes a key back at once; false when there is none with this id. */
  revoke(id: string): Promise<boolean>;
  /** What a presented key is; undefined when it is none of ours. */
  verify(key: string): Promise<ApiKey | undefined>;
}

/** The hash of all keys, by their SHA-256. */
const KEYS = "{keys}:api";
/** How many keys there may be. */
const MAX_KEYS = 1000;
const MAX_NAME_CHARS = 100;

// What a key looks like; anything else is refused without asking Redis.
const KEY_FORM = /^pk_[A-Za-z0-9_-]{43}$/;

const entrySchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  userId: z.string().optional(),
  at: z.number(),
});

const addScript = defineScript({
  file: new URL("./scripts/add-api-key.lua", import.meta.url),
  keys: ["keys"],
  args: ["hash", "entry", "most"],
  reply: z.enum(["added", "full"]),
});

/** Builds the store. `adminKey`, from the configuration, is accepted besides the stored keys and never written. */
export function createApiKeyStore(
  redis: RedisConnection,
  options: { readonly newId: NewId; readonly clock: Pick<Clock, "now">; readonly adminKey?: Secret },
): ApiKeyStore {
  const { newId, clock, adminKey } = options;

  return {
    async create({ name, scopes, userId }) {
      const trimmed = name.trim();
      if (trimmed === "" || trimmed.length > MAX_NAME_CHARS) {
        throw new InvalidInput(`name needs 1 to ${MAX_NAME_CHARS} characters`);
      }
      const granted = SCOPES.filter((scope) => scopes.includes(scope));
      if (granted.length === 0) throw new InvalidInput(`scopes needs at least one of ${SCOPES.join(", ")}`);
      const id = newId();
      const key = `pk_${randomBytes(32).toString("base64url")}`;
      const entry = JSON.stringify({ id, name: trimmed, scopes: granted, userId, at: clock.now() });
      const reply = await addScript.run(redis, { keys: KEYS }, { hash: sha256(key), entry, most: MAX_KEYS });
      if (reply === "full") throw new InvalidInput(`there are ${MAX_KEYS} API keys already; revoke one first`);
      return { id, key };
    },

    async list() {
      const entries = Object.entries(await redis.hgetall(KEYS));
      return entries.map(([hash, entry]) => parseEntry(hash, entry)).toSorted((a, b) => a.createdAt - b.createdAt);
    },

    async revoke(id) {
      const entries = Object.entries(await redis.hgetall(KEYS));
      const found = entries.find(([hash, entry]) => parseEntry(hash, entry).id === id);
      return found !== undefined && (await redis.hdel(KEYS, found[0])) === 1;
    },

    async verify(key) {
      if (adminKey !== undefined && sameText(key, adminKey.reveal())) {
        return { id: "configured", name: "PARLEY_API_KEY", scopes: ["admin"], createdAt: 0 };
      }
      if (!KEY_FORM.test(key)) return undefined;
      // The lookup is by hash: how long it takes says nothing about how much of a guess was right.
      const hash = sha256(key);
      const entry = await redis.hget(KEYS, hash);
      return entry === null ? undefined : parseEntry(hash, entry);
    },
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function sameText(one: string, other: string): boolean {
  return timingSafeEqual(createHash("sha256").update(one).digest(), createHash("sha256").update(other).digest());
}

function parseEntry(hash: string, text: string): ApiKey {
  try {
    const { userId, at, ...entry } = entrySchema.parse(JSON.parse(text));
    return { ...entry, createdAt: at, ...(userId === undefined ? {} : { userId: parseWorkspaceId(userId) }) };
  } catch (cause) {
    const where = `Redis key ${KEYS}, field ${hash}`;
    throw new OutsideError(`${where}, does not hold an API key; remove the field with HDEL`, {
      code: "garbled",
      cause,
    });
  }
}
