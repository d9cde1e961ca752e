import { describeError } from "../kernel/errors.ts";
import type { ConversationId } from "../kernel/ids.ts";
import { liveChannel } from "../kernel/live.ts";
import type { Log } from "../kernel/ports.ts";
import type { RedisConnection } from "../store/connection.ts";
import { liveEventSchema, type ShownLiveEvent } from "./contract.ts";

/** What watches one conversation. Neither function may throw or block. */
export interface LiveListener {
  event(event: ShownLiveEvent): void;
  /** Events may have been missed and no more will come. */
  lost(): void;
}

/** The live events of all conversations that somebody watches, over one connection to Redis. */
export interface LiveFeed {
  /** Calls the listener from the moment `ready` resolves; `ready` may take as long as Redis is away. */
  watch(conversation: ConversationId, listener: LiveListener): { readonly ready: Promise<void>; stop(): void };
  /** Ends every watch with `lost` and closes the connection. */
  close(): void;
}

interface Watched {
  readonly listeners: Set<LiveListener>;
  readonly ready: Promise<void>;
}

/** Builds the feed. `connect` makes a connection of its own for it, first when somebody watches. */
export function createLiveFeed({ connect, log }: { connect: () => RedisConnection; log: Log }): LiveFeed {
  const channels = new Map<string, Watched>();
  let connection: RedisConnection | undefined;

  function open(): RedisConnection {
    if (connection !== undefined) return connection;
    const opened = connect();
    connection = opened;
    opened.on("message", (channel: string, payload: string) => tell(channel, payload));
    // A connection that comes back has missed what was published meanwhile, and nothing tells what. Before the first
    // "ready" there was nothing to miss: those who wait go on waiting.
    opened.once("ready", () => opened.once("close", () => lose(opened)));
    // A cluster's subscription moves to another node when one goes.
    opened.on("-node", () => lose(opened));
    return opened;
  }

  function tell(channel: string, payload: string): void {
    const watched = channels.get(channel);
    if (watched === undefined) return;
    const event = parseEvent(payload);
    if (event === undefined) log.warn({ channel }, "A live event could not be read and was left out");
    else for (const listener of watched.listeners) listener.event(event);
  }

  function lose(lost: RedisConnection): void {
    if (connection !== lost) return;
    const watched = [...channels.values()];
    channels.clear();
    connection = undefined;
    lost.disconnect();
    for (const { listeners } of watched) for (const listener of listeners) listener.lost();
  }

  return {
    watch(conversation, listener) {
      const channel = liveChannel(conversation);
      const watched = channels.get(channel) ?? begin(channel);
      watched.listeners.add(listener);
      return {
        ready: watched.ready,
        stop() {
          if (!watched.listeners.delete(listener) || watched.listeners.size > 0) return;
          if (channels.get(channel) !== watched) return;
          channels.delete(channel);
          connection?.unsubscribe(channel).catch(() => undefined);
        },
      };
    },
    close() {
      if (connection !== undefined) lose(connection);
    },
  };

  function begin(channel: string): Watched {
    const ready = open()
      .subscribe(channel)
      .then(() => undefined);
    ready.catch((error: unknown) => log.warn({ channel, error: describeError(error) }, "Could not watch live events"));
    const watched = { listeners: new Set<LiveListener>(), ready };
    channels.set(channel, watched);
    return watched;
  }
}

function parseEvent(payload: string): ShownLiveEvent | undefined {
  try {
    return liveEventSchema.safeParse(JSON.parse(payload)).data;
  } catch {
    return undefined;
  }
}
