import { z } from "zod";
import type { WorkspaceId } from "../kernel/ids.ts";
import { parseJson } from "../kernel/json.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** A kept file as it is listed. Times are milliseconds since 1970. */
export interface ShelfFile<About> {
  readonly id: string;
  readonly bytes: number;
  readonly at: number;
  readonly endsAt: number;
  readonly about: About;
}

/** How much one person may have kept, and for how long. */
export interface ShelfLimits {
  /** Of one file. */
  readonly maxBytes: number;
  /** Of all files together. */
  readonly quotaBytes: number;
  readonly quotaFiles: number;
  readonly keepMs: number;
}

/** What came of putting a file there; `known` when it was there before. */
export type PutResult<About> =
  | { readonly kind: "stored" | "known"; readonly file: ShelfFile<About> }
  | { readonly kind: "file-too-large" | "too-many" | "too-large" };

/** Files of one kind, kept for each person apart until their end. No call reaches another person's files. */
export interface Shelf<About> {
  /** Keeps a file; safe to repeat with the same id, and an interrupted one leaves nothing behind for long. */
  put(
    workspaceId: WorkspaceId,
    file: { readonly id: string; readonly content: Uint8Array; readonly about: About },
  ): Promise<PutResult<About>>;
  find(workspaceId: WorkspaceId, id: string): Promise<ShelfFile<About> | undefined>;
  /** The whole content; undefined when there is no such file any more. */
  read(workspaceId: WorkspaceId, id: string): Promise<Buffer | undefined>;
  /** All files, oldest first. */
  list(workspaceId: WorkspaceId): Promise<readonly ShelfFile<About>[]>;
  /** Tells whether there was such a file. */
  delete(workspaceId: WorkspaceId, id: string): Promise<boolean>;
  /** Deletes all files of a person. */
  erase(workspaceId: WorkspaceId): Promise<void>;
}

const addFile = defineScript({
  file: new URL("./scripts/shelf-add.lua", import.meta.url),
  keys: ["files"],
  args: ["prefix", "id", "about", "bytes", "parts", "keepMs", "quotaFiles", "quotaBytes", "whenFull"],
  reply: z.tuple([z.enum(["stored", "known", "missing", "too-many", "too-large"]), z.string()]),
});

const deleteFile = defineScript({
  file: new URL("./scripts/shelf-delete.lua", import.meta.url),
  keys: ["files"],
  args: ["prefix", "id"],
  reply: z.enum(["deleted", "unknown"]),
});

/** A part is written by one command; a larger one would hold up everybody else's. */
const PART_BYTES = 256 * 1024;
/** How long parts wait for their file to be entered. */
const STAGING_MS = 10 * 60_000;
/** Parts that ended while the others were still being written are written again. */
const TRIES = 3;

/**
 * Opens the shelf `kind`: a hash of all files of a person, and the parts of each. Parts are written first, with an end
 * of their own; one script then counts, enters and prolongs them, so that the quota holds whoever writes at the same time
 * and a crash leaves nothing for ever. `drop-oldest` makes room instead of refusing.
 */
export function createShelf<About>(
  redis: RedisConnection,
  options: {
    readonly kind: "artifact" | "upload" | "result";
    readonly about: z.ZodType<About>;
    readonly limits: () => ShelfLimits;
    readonly whenFull: "refuse" | "drop-oldest";
    readonly clock: Pick<Clock, "now">;
  },
): Shelf<About> {
  const { kind, about: aboutSchema, limits, whenFull, clock } = options;
  const hashOf = (workspaceId: WorkspaceId) => `{ws:${workspaceId}}:${kind}s`;
  const prefixOf = (workspaceId: WorkspaceId) => `{ws:${workspaceId}}:${kind}:`;
  const partKey = (workspaceId: WorkspaceId, id: string, part: number) => `${prefixOf(workspaceId)}${id}:${part}`;
  const parse = (id: string, entry: string) => parseEntry(id, entry, aboutSchema);

  async function findEntry(workspaceId: WorkspaceId, id: string): Promise<Entry<About> | undefined> {
    const text = await redis.hget(hashOf(workspaceId), id);
    const entry = text === null ? undefined : parse(id, text);
    return entry !== undefined && entry.file.endsAt > clock.now() ? entry : undefined;
  }

  async function writeParts(workspaceId: WorkspaceId, id: string, content: Uint8Array): Promise<number> {
    const parts = Math.max(1, Math.ceil(content.length / PART_BYTES));
    for (let part = 0; part < parts; part++) {
      const bytes = Buffer.from(content.subarray(part * PART_BYTES, (part + 1) * PART_BYTES));
      // Never over a part that is there: it may belong to the entered file, whose end a second writer would bring near.
      await redis.set(partKey(workspaceId, id, part), bytes, "PX", STAGING_MS, "NX");
    }
    return parts;
  }

  async function listEntries(workspaceId: WorkspaceId): Promise<ShelfFile<About>[]> {
    const now = clock.now();
    const entries = Object.entries(await redis.hgetall(hashOf(workspaceId)));
    return entries
      .flatMap(([id, text]) => parse(id, text)?.file ?? [])
      .filter(({ endsAt }) => endsAt > now)
      .toSorted((one, other) => one.at - other.at || (one.id < other.id ? -1 : 1));
  }

  async function remove(workspaceId: WorkspaceId, id: string): Promise<boolean> {
    const prefix = prefixOf(workspaceId);
    return (await deleteFile.run(redis, { files: hashOf(workspaceId) }, { prefix, id })) === "deleted";
  }

  return {
    async put(workspaceId, { id, content, about }) {
      const known = await findEntry(workspaceId, id);
      if (known !== undefined) return { kind: "known", file: known.file };
      const { maxBytes, quotaBytes, quotaFiles, keepMs } = limits();
      if (content.length > maxBytes) return { kind: "file-too-large" };
      for (let tries = 1; ; tries++) {
        const parts = await writeParts(workspaceId, id, content);
        const [reply, text] = await addFile.run(
          redis,
          { files: hashOf(workspaceId) },
          {
            prefix: prefixOf(workspaceId),
            id,
            about: JSON.stringify(about),
            bytes: content.length,
            parts,
            keepMs,
            quotaFiles,
            quotaBytes,
            whenFull,
          },
        );
        if (reply === "too-many" || reply === "too-large") return { kind: reply };
        if (reply === "missing") {
          if (tries < TRIES) continue;
          throw new Error(`The parts of ${kind} ${id} ended before it was entered, ${TRIES} times`);
        }
        const entry = parse(id, text);
        if (entry === undefined) throw new Error(`The entry of ${kind} ${id} cannot be read`);
        return { kind: reply, file: entry.file };
      }
    },

    find: async (workspaceId, id) => (await findEntry(workspaceId, id))?.file,

    async read(workspaceId, id) {
      const entry = await findEntry(workspaceId, id);
      if (entry === undefined) return undefined;
      const wanted = Array.from({ length: entry.parts }, (_, part) => partKey(workspaceId, id, part));
      const found = (await Promise.all(wanted.map((key) => redis.getBuffer(key)))).filter((part) => part !== null);
      const content = Buffer.concat(found);
      // It was deleted, or ended, between the reads.
      return found.length === entry.parts && content.length === entry.file.bytes ? content : undefined;
    },

    list: listEntries,
    delete: remove,

    async erase(workspaceId) {
      for (const id of await redis.hkeys(hashOf(workspaceId))) await remove(workspaceId, id);
    },
  };
}

interface Entry<About> {
  readonly file: ShelfFile<About>;
  readonly parts: number;
}

function parseEntry<About>(id: string, text: string, schema: z.ZodType<About>): Entry<About> | undefined {
  const match = /^(\d+) (\d+) (\d+) (\d+) (.*)$/s.exec(text);
  if (match === null) return undefined;
  const [, bytes, parts, at, endsAt, json = ""] = match;
  const about = schema.safeParse(parseJson(json));
  if (!about.success) return undefined;
  const file = { id, bytes: Number(bytes), at: Number(at), endsAt: Number(endsAt), about: about.data };
  return { file, parts: Number(parts) };
}
