import type { ConversationId } from "../kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../kernel/live.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RedisConnection } from "../store/connection.ts";

/** Tells whoever watches a conversation what is happening. Never fails, never waits: these are hints. */
export interface Live {
  tell(conversation: ConversationId, event: LiveEvent): void;
}

/** Live events over Redis, so that every process' watchers see every process' runs. */
export function createLive(redis: RedisConnection): Live {
  return {
    tell(conversation, event) {
      redis.publish(liveChannel(conversation), JSON.stringify(event)).catch(() => {});
    },
  };
}

/** How long pieces of streamed text are gathered into one event, milliseconds. */
const GATHER_MS = 40;

/** Gathers the words of a streaming model into a few events. Call `flush` when the stream is over. */
export function createTextStream(emit: (text: string, first: boolean) => void, clock: Clock) {
  let gathered = "";
  let first = true;
  let lastAt = Number.NEGATIVE_INFINITY;
  function flush(): void {
    if (gathered === "") return;
    emit(gathered, first);
    gathered = "";
    first = false;
    lastAt = clock.monotonic();
  }
  return {
    add(piece: string): void {
      gathered += piece;
      if (clock.monotonic() - lastAt >= GATHER_MS) flush();
    },
    flush,
  };
}
