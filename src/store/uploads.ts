import { createHash } from "node:crypto";
import { z } from "zod";
import type { ConversationId, MessageId, WorkspaceId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { createShelf } from "./shelf.ts";

/** The files people send, from before their message is kept until they were read. */
export interface UploadStore {
  /** Keeps a file under an id that the message names; safe to repeat. Undefined when it is larger than all that is kept. */
  keep(
    workspaceId: WorkspaceId,
    upload: {
      readonly conversationId: ConversationId;
      readonly messageId: MessageId;
      readonly index: number;
      readonly content: Uint8Array;
    },
  ): Promise<string | undefined>;
  /** Undefined when it is not kept any more. */
  read(workspaceId: WorkspaceId, id: string): Promise<Buffer | undefined>;
  /** Deletes a file that is not needed any more; safe to repeat. */
  drop(workspaceId: WorkspaceId, id: string): Promise<void>;
  /** Deletes all uploads of a person. */
  eraseUploads(workspaceId: WorkspaceId): Promise<void>;
}

/** As long as a question waits for its answer, and a day: a run that waits finds its files again. */
const KEEP_MS = 8 * 86_400_000;
const MOST_FILES = 500;

/** Keeps uploads in Redis for some days, within a quota in which the oldest make room. */
export function createUploadStore(
  redis: RedisConnection,
  {
    limits,
    clock,
  }: {
    readonly limits: () => { readonly maxBytes: number; readonly quotaBytes: number };
    readonly clock: Pick<Clock, "now">;
  },
): UploadStore {
  const shelf = createShelf(redis, {
    kind: "upload",
    about: z.object({}),
    limits: () => ({ ...limits(), quotaFiles: MOST_FILES, keepMs: KEEP_MS }),
    whenFull: "drop-oldest",
    clock,
  });
  return {
    async keep(workspaceId, { conversationId, messageId, index, content }) {
      // With its content in it: another file under a message id that was used before must not stand in for the first.
      const hash = createHash("sha256")
        .update(JSON.stringify([conversationId, messageId, index]))
        .update(content)
        .digest("hex");
      const id = `up_${hash.slice(0, 24)}`;
      const put = await shelf.put(workspaceId, { id, content, about: {} });
      return "file" in put ? id : undefined;
    },
    read: (workspaceId, id) => shelf.read(workspaceId, id),
    async drop(workspaceId, id) {
      await shelf.delete(workspaceId, id);
    },
    eraseUploads: (workspaceId) => shelf.erase(workspaceId),
  };
}
