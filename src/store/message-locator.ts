import type { ConversationId, MessageId } from "../kernel/ids.ts";
import type { RedisConnection } from "./connection.ts";

/** Where messages are that came over the API, whose callers ask for them by id alone. */
export interface MessageLocator {
  /**
   * Notes where a message is going and returns where it is: another conversation when its id was used there before.
   * Call it before the message is admitted; a pointer to a message that never came is harmless. Safe to repeat.
   */
  claim(id: MessageId, conversation: ConversationId): Promise<ConversationId>;
  /** Where the message is. Asking keeps the answer for another two days. */
  find(id: MessageId): Promise<ConversationId | undefined>;
}

/** As long as the fate of a message is known. */
const KEEP_MS = 48 * 3_600_000;

/** Keeps the pointers in Redis, one key for each message. */
export function createMessageLocator(redis: RedisConnection): MessageLocator {
  return {
    async claim(id, conversation) {
      const earlier = await redis.set(keyOf(id), conversation, "PX", KEEP_MS, "NX", "GET");
      return (earlier ?? conversation) as ConversationId;
    },
    async find(id) {
      const conversation = await redis.getex(keyOf(id), "PX", KEEP_MS);
      return conversation === null ? undefined : (conversation as ConversationId);
    },
  };
}

function keyOf(id: MessageId): string {
  return `msg:${id}`;
}
