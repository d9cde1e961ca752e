import type { ConversationId } from "../kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../kernel/live.ts";
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

/** Gathers the words of a streaming model into a few events. Call `flush` when the stream is over, however it ended. */
export function createTextStream(emit: (text: string, first: boolean) => void) {
  let gathered = "";
  let first = true;
  let timer: NodeJS.Timeout | undefined;
  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered === "") return;
    emit(gathered, first);
    gathered = "";
    first = false;
  }
  return {
    add(piece: string): void {
      gathered += piece;
      // The first words are shown at once: they are what people wait for.
      if (first) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
    },
    flush,
  };
}
