import { z } from "zod";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { WorkspaceId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { parseJson } from "../kernel/json.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** One thing remembered, as it may be shown: the value of a secret is `(secret)`. */
export interface MemoryEntry {
  readonly key: string;
  readonly value: string;
  readonly secret: boolean;
  /** When it was stored, in milliseconds since 1970. */
  readonly at: number;
}

/** Entries in the order to show them, and the keys of damaged entries, which are left out. */
export interface MemoryListing {
  readonly entries: readonly MemoryEntry[];
  readonly unreadable: readonly string[];
}

/** What came of moving a memory: how many entries moved, and the keys of those that stay where they were. */
export interface Adoption {
  readonly taken: number;
  readonly left: readonly string[];
}

/** What the system prompt may say of an entry: of a secret only that it exists. */
export type PromptEntry =
  | { readonly key: string; readonly value: string }
  | { readonly key: string; readonly secret: true };

/** How much one person may have remembered. Bytes are UTF-8. */
export interface MemoryLimits {
  readonly maxKeyChars: number;
  readonly maxValueBytes: number;
  readonly maxEntries: number;
  /** Of all keys and stored values together. */
  readonly maxTotalBytes: number;
}

/** What is remembered for each person. No call reaches another person's memory. */
export interface MemoryStore {
  /** Stores or replaces an entry; safe to repeat. Throws `InvalidInput` that names the limit when one is passed. */
  set(
    workspaceId: WorkspaceId,
    entry: { readonly key: string; readonly value: string; readonly secret?: boolean; readonly at: number },
  ): Promise<void>;
  /** Throws `OutsideError` (`garbled`) that names the key when the entry is damaged. */
  get(workspaceId: WorkspaceId, key: string): Promise<MemoryEntry | undefined>;
  /** All entries, or those whose key begins with `prefix`, by key. */
  list(workspaceId: WorkspaceId, prefix?: string): Promise<MemoryListing>;
  /** Tells whether there was such an entry. */
  delete(workspaceId: WorkspaceId, key: string): Promise<boolean>;
  /** Entries that hold a word of `query` in their key or, unless secret, their value; best first, at most 20. */
  search(workspaceId: WorkspaceId, query: string): Promise<MemoryListing>;
  /** By key, so that an unchanged memory makes an unchanged prompt. Damaged entries are left out. */
  promptEntries(workspaceId: WorkspaceId): Promise<readonly PromptEntry[]>;
  /** The value itself, secret or not, for a tool that uses it; never for a model or a log. */
  reveal(workspaceId: WorkspaceId, key: string): Promise<Secret | undefined>;
  /** Moves what one account was told to another person's memory; what stands there already is not touched. Safe to repeat. */
  adopt(from: WorkspaceId, to: WorkspaceId): Promise<Adoption>;
  /** The values of all secrets, for taking them out of a text; never for a model or a log. */
  revealAll(workspaceId: WorkspaceId): Promise<readonly Secret[]>;
  /** Forgets everything about a person. */
  eraseMemory(workspaceId: WorkspaceId): Promise<void>;
}

const DEFAULT_LIMITS: MemoryLimits = {
  maxKeyChars: 128,
  maxValueBytes: 8 * 1024,
  maxEntries: 500,
  maxTotalBytes: 256 * 1024,
};

const memorySet = defineScript({
  file: new URL("./scripts/memory-set.lua", import.meta.url),
  keys: ["memory"],
  args: ["key", "value", "maxEntries", "maxBytes"],
  reply: z.enum(["stored", "too-many", "too-large"]),
});

const memoryAdopt = defineScript({
  file: new URL("./scripts/memory-adopt.lua", import.meta.url),
  keys: ["memory"],
  args: ["key", "value", "maxEntries", "maxBytes"],
  reply: z.enum(["adopted", "left"]),
});

/** Keeps memories in Redis, one hash for each person, until they are deleted or erased. */
export function createMemoryStore(redis: RedisConnection, limits: MemoryLimits = DEFAULT_LIMITS): MemoryStore {
  const readAll = async (workspaceId: WorkspaceId) => sortOut(await redis.hgetall(hashOf(workspaceId)));
  const readOne = async (workspaceId: WorkspaceId, key: string) => {
    const text = await redis.hget(hashOf(workspaceId), key);
    if (text === null) return undefined;
    const entry = parseStored(key, text);
    if (entry === undefined)
      throw new OutsideError(`The memory entry ${quote(key)} is damaged; delete it or set it anew`, {
        code: "garbled",
      });
    return entry;
  };
  return {
    async set(workspaceId, { key, value, secret = false, at }) {
      checkEntry(key, value, limits);
      const stored: z.input<typeof storedSchema> = secret ? { v: value, s: true, at } : { v: value, at };
      const reply = await memorySet.run(
        redis,
        { memory: hashOf(workspaceId) },
        { key, value: JSON.stringify(stored), maxEntries: limits.maxEntries, maxBytes: limits.maxTotalBytes },
      );
      if (reply !== "stored") throw describeFull(reply, key, limits);
    },
    async get(workspaceId, key) {
      const entry = await readOne(workspaceId, key);
      return entry === undefined ? undefined : show(entry);
    },
    async list(workspaceId, prefix = "") {
      const { entries, unreadable } = await readAll(workspaceId);
      return {
        entries: entries.filter(({ key }) => key.startsWith(prefix)).map(show),
        unreadable: unreadable.filter((key) => key.startsWith(prefix)),
      };
    },
    async delete(workspaceId, key) {
      return (await redis.hdel(hashOf(workspaceId), key)) === 1;
    },
    async search(workspaceId, query) {
      const { entries, unreadable } = await readAll(workspaceId);
      return { entries: rank(entries.map(show), query), unreadable };
    },
    async promptEntries(workspaceId) {
      const { entries } = await readAll(workspaceId);
      return entries.map(({ key, kept, secret }) => (secret ? { key, secret } : { key, value: kept }));
    },
    async reveal(workspaceId, key) {
      const entry = await readOne(workspaceId, key);
      return entry === undefined ? undefined : new Secret(entry.kept);
    },
    async adopt(from, to) {
      let taken = 0;
      const left: string[] = [];
      for (const [key, value] of Object.entries(await redis.hgetall(hashOf(from)))) {
        const reply = await memoryAdopt.run(
          redis,
          { memory: hashOf(to) },
          { key, value, maxEntries: limits.maxEntries, maxBytes: limits.maxTotalBytes },
        );
        if (reply === "left") {
          left.push(key);
          continue;
        }
        await redis.hdel(hashOf(from), key);
        taken += 1;
      }
      return { taken, left };
    },
    async revealAll(workspaceId) {
      const { entries } = await readAll(workspaceId);
      return entries.filter(({ secret }) => secret).map(({ kept }) => new Secret(kept));
    },
    async eraseMemory(workspaceId) {
      await redis.del(hashOf(workspaceId));
    },
  };
}

function hashOf(workspaceId: WorkspaceId): string {
  return `{ws:${workspaceId}}:memory`;
}

function checkEntry(key: string, value: string, limits: MemoryLimits): void {
  if (key === "") throw refuse("A memory key is empty");
  if (key.length > limits.maxKeyChars)
    throw refuse(`A memory key has ${key.length} characters; at most ${limits.maxKeyChars} are allowed`);
  // Keys stand in the system prompt one to a line, where a line break could pass for other text.
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(key))
    throw refuse(`The memory key ${quote(key)} contains a line break or another control character`);
  const bytes = Buffer.byteLength(value);
  if (bytes > limits.maxValueBytes)
    throw refuse(`The value for ${quote(key)} has ${bytes} bytes; at most ${limits.maxValueBytes} are allowed`);
}

function describeFull(reply: "too-many" | "too-large", key: string, limits: MemoryLimits): InvalidInput {
  const limit = reply === "too-many" ? `${limits.maxEntries} entries` : `${limits.maxTotalBytes} bytes in all`;
  return refuse(`The memory is full: ${quote(key)} would pass the limit of ${limit}. Delete something first`);
}

function refuse(message: string): InvalidInput {
  return new InvalidInput(message, { code: "memory_limit" });
}

function quote(key: string): string {
  return JSON.stringify(key);
}

// Short names: they count towards the person's limit.
const storedSchema = z.object({ v: z.string(), s: z.literal(true).optional(), at: z.number() });

// Not a MemoryEntry: the value as it was given passes through `show` before anyone sees it.
interface KeptEntry extends Omit<MemoryEntry, "value"> {
  readonly kept: string;
}

function parseStored(key: string, text: string): KeptEntry | undefined {
  const stored = storedSchema.safeParse(parseJson(text));
  if (!stored.success) return undefined;
  return { key, kept: stored.data.v, secret: stored.data.s ?? false, at: stored.data.at };
}

function sortOut(hash: Record<string, string>): { entries: KeptEntry[]; unreadable: string[] } {
  const entries: KeptEntry[] = [];
  const unreadable: string[] = [];
  for (const key of Object.keys(hash).toSorted()) {
    const entry = parseStored(key, hash[key] ?? "");
    if (entry === undefined) unreadable.push(key);
    else entries.push(entry);
  }
  return { entries, unreadable };
}

const HIDDEN = "(secret)";

function show({ key, kept, secret, at }: KeptEntry): MemoryEntry {
  return { key, value: secret ? HIDDEN : kept, secret, at };
}

const MAX_FOUND = 20;

function rank(entries: readonly MemoryEntry[], query: string): MemoryEntry[] {
  const words = fold(query)
    .split(/\s+/)
    .filter((word) => word !== "");
  return entries
    .map((entry) => ({ entry, score: scoreOf(entry, words) }))
    .filter(({ score }) => score > 0)
    .toSorted((one, other) => other.score - one.score || other.entry.at - one.entry.at)
    .slice(0, MAX_FOUND)
    .map(({ entry }) => entry);
}

// Every word found counts more than where it was found; a key that is the word beats one that holds it.
function scoreOf({ key, value, secret }: MemoryEntry, words: readonly string[]): number {
  const foldedKey = fold(key);
  const foldedValue = secret ? "" : fold(value);
  let score = 0;
  for (const word of words) {
    if (foldedKey === word) score += 13;
    else if (foldedKey.includes(word)) score += 12;
    else if (foldedValue.includes(word)) score += 10;
  }
  return score;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
