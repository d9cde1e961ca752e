import { z } from "zod";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import { clearField } from "./clear-field.ts";
import type { RedisConnection } from "./connection.ts";

/** What is known of a conversation besides what was said in it. */
export interface ConversationFacts {
  /** Who spoke first; a direct chat belongs to them. */
  readonly owner: WorkspaceId;
  /** Whether anybody else has ever spoken there. */
  readonly shared: boolean;
  /** How messages that arrive during a run are taken; absent means the configured default. */
  readonly queueMode?: string;
  /** Which model is asked first; absent means the configured default. */
  readonly model?: string;
}

const KEEP_MS = 400 * 86_400_000;
/** The newest this many are listed, for a person and in all. */
const LISTED_PER_PERSON = 20_000;
const LISTED_IN_ALL = 100_000;

const factsSchema = z.object({
  owner: z.string().min(1),
  mode: z.string().optional(),
  model: z.string().optional(),
  shared: z.string().optional(),
});

/**
 * The list of conversations and their settings. An index beside the lanes, written before a message is admitted: an
 * entry without messages is harmless, a message without an entry would not be listed.
 */
export function createConversationStore(redis: RedisConnection) {
  const key = (id: ConversationId) => `conv:{${id}}`;
  const all = "convs";
  const ofPerson = (workspace: WorkspaceId) => `convs:{${workspace}}`;

  return {
    /** Notes that a person spoke, with an account of theirs, in a conversation and returns what is known of it. */
    async touch(
      id: ConversationId,
      workspace: WorkspaceId,
      at: number,
      account: WorkspaceId = workspace,
    ): Promise<ConversationFacts> {
      const [, facts] = await Promise.all([
        redis.hsetnx(key(id), "owner", workspace),
        redis.hgetall(key(id)),
        redis.pexpire(key(id), KEEP_MS),
        redis.zadd(ofPerson(workspace), at, id),
        redis.zadd(all, at, id),
      ]);
      const known = toFacts(facts) ?? { owner: workspace, shared: false };
      if (known.shared || known.owner === workspace || known.owner === account) return known;
      // For good: what is private must stay out even when the other one never comes back.
      await redis.hset(key(id), "shared", "1");
      return { ...known, shared: true };
    },

    /** Drops the oldest entries of the lists beyond their limits; call it now and then. */
    async trim(workspace: WorkspaceId): Promise<void> {
      await Promise.all([
        redis.zremrangebyrank(ofPerson(workspace), 0, -LISTED_PER_PERSON - 1),
        redis.pexpire(ofPerson(workspace), KEEP_MS),
        redis.zremrangebyrank(all, 0, -LISTED_IN_ALL - 1),
      ]);
    },

    async find(id: ConversationId): Promise<ConversationFacts | undefined> {
      return toFacts(await redis.hgetall(key(id)));
    },

    async setQueueMode(id: ConversationId, mode: string): Promise<void> {
      await redis.hset(key(id), "mode", mode);
    },

    /** Chooses the model that is asked first; undefined for the default. */
    async setModel(id: ConversationId, model: string | undefined): Promise<void> {
      await (model === undefined ? redis.hdel(key(id), "model") : redis.hset(key(id), "model", model));
    },

    /** Undoes the choice of a model, unless another was chosen meanwhile. */
    async clearModel(id: ConversationId, model: string): Promise<void> {
      await clearField.run(redis, { hash: key(id) }, { field: "model", value: model });
    },

    /** Every conversation a person spoke in that is still listed. */
    async allOf(workspace: WorkspaceId): Promise<ConversationId[]> {
      return (await redis.zrange(ofPerson(workspace), "0", "-1")) as ConversationId[];
    },

    /** Forgets that a person spoke in a conversation, and with `whole` the conversation itself. */
    async forget(id: ConversationId, workspace: WorkspaceId, whole: boolean): Promise<void> {
      if (whole) await Promise.all([redis.del(key(id)), redis.zrem(all, id)]);
      await redis.zrem(ofPerson(workspace), id);
    },

    /** Puts a conversation's settings back to the defaults. */
    async clearSettings(id: ConversationId): Promise<void> {
      await redis.hdel(key(id), "mode", "model");
    },

    /** Gives a conversation to another person, or to nobody that exists. */
    async setOwner(id: ConversationId, owner: WorkspaceId): Promise<void> {
      // XX-like: a conversation that was forgotten meanwhile must not come back without an end.
      if ((await redis.exists(key(id))) === 1) await redis.hset(key(id), "owner", owner);
    },

    /** Newest first; `before` is exclusive. */
    async list(query: { readonly workspaceId?: WorkspaceId; readonly limit: number; readonly before?: number }) {
      const from = query.workspaceId === undefined ? all : ofPerson(query.workspaceId);
      const max = query.before === undefined ? "+inf" : `(${query.before}`;
      const flat = await redis.zrevrangebyscore(from, max, "-inf", "WITHSCORES", "LIMIT", 0, query.limit);
      const rows: { id: ConversationId; lastActivityAt: number }[] = [];
      for (let at = 0; at + 1 < flat.length; at += 2)
        rows.push({ id: flat[at] as ConversationId, lastActivityAt: Number(flat[at + 1]) });
      return rows;
    },

    async lastActivity(id: ConversationId): Promise<number | undefined> {
      const score = await redis.zscore(all, id);
      return score === null ? undefined : Number(score);
    },
  };
}

export type ConversationStore = ReturnType<typeof createConversationStore>;

function toFacts(hash: Record<string, string>): ConversationFacts | undefined {
  const parsed = factsSchema.safeParse(hash);
  if (!parsed.success) return undefined;
  const { owner, mode, model, shared } = parsed.data;
  return {
    owner: owner as WorkspaceId,
    shared: shared !== undefined,
    ...(mode === undefined ? {} : { queueMode: mode }),
    ...(model === undefined ? {} : { model }),
  };
}
