import type { ConversationId, RunId } from "../kernel/ids.ts";
import { clearField } from "./clear-field.ts";
import type { RedisConnection } from "./connection.ts";

/**
 * Messages that show what a run is doing, until its answer takes their place. Notes, so that any process can remove or
 * replace what another one left behind.
 */
export interface ShownStore {
  /** The preview of this run's answer. */
  find(conversation: ConversationId, run: RunId): Promise<string | undefined>;
  keepDraft(conversation: ConversationId, run: RunId, draft: string): Promise<void>;
  /** Forgets a preview unless another took its place. */
  drop(conversation: ConversationId, draft: string): Promise<void>;
  keepProgress(conversation: ConversationId, message: string): Promise<void>;
  progress(conversation: ConversationId): Promise<string | undefined>;
  dropProgress(conversation: ConversationId, message: string): Promise<void>;
}

/** Nobody looks for a preview that is older, milliseconds. */
const KEEP_MS = 2 * 86_400_000;

/** Keeps these notes in Redis. */
export function createShownStore(redis: RedisConnection): ShownStore {
  const key = (conversation: ConversationId) => `shown:{${conversation}}`;
  async function put(conversation: ConversationId, field: string, value: string): Promise<void> {
    await Promise.all([redis.hset(key(conversation), field, value), redis.pexpire(key(conversation), KEEP_MS)]);
  }
  async function clear(conversation: ConversationId, field: string, value: string): Promise<void> {
    await clearField.run(redis, { hash: key(conversation) }, { field, value });
  }
  return {
    async find(conversation, run) {
      const [owner, draft] = await redis.hmget(key(conversation), "run", "draft");
      return owner === run ? (draft ?? undefined) : undefined;
    },
    async keepDraft(conversation, run, draft) {
      await redis.hset(key(conversation), { run, draft });
      await redis.pexpire(key(conversation), KEEP_MS);
    },
    drop: (conversation, draft) => clear(conversation, "draft", draft),
    keepProgress: (conversation, message) => put(conversation, "progress", message),
    async progress(conversation) {
      return (await redis.hget(key(conversation), "progress")) ?? undefined;
    },
    dropProgress: (conversation, message) => clear(conversation, "progress", message),
  };
}
