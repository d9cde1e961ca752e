import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { parseConversationId, parseMessageId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import type { ConversationId, MessageId } from "../../src/kernel/ids.ts";
import { liveChannel, type LiveDelivery, type LiveEvent } from "../../src/kernel/live.ts";
import type { InboundMessage } from "../../src/kernel/messages.ts";
import type { Log } from "../../src/kernel/ports.ts";
import type { Runtime, RuntimeOptions } from "../../src/runtime.ts";
import { connectRedis } from "../../src/store/connection.ts";
import type { Tool } from "../../src/tools/contract.ts";
import { assemble } from "./assemble.ts";
import { startModelServer } from "./model-server.ts";

export interface LabOptions {
  /** An empty database, from `testRedis()`. */
  readonly database: { readonly path: string; readonly db: number };
  readonly tools?: readonly Tool[];
  /** The text of `parley.yaml`. */
  readonly settings?: string;
  readonly modelTimeoutMs?: number;
  /** Further parts, as the program would have them. */
  readonly more?: Partial<RuntimeOptions>;
  /** Nothing is worked on until `startWorker`. */
  readonly idle?: boolean;
}

/** A whole agent on a real Redis with a scripted model, and what people see of it. Close it when the file is over. */
export async function openLab({ database, idle = false, ...options }: LabOptions) {
  const model = await startModelServer();
  const prefix = `api:${randomUUID().slice(0, 8)}`;
  const lines: string[] = [];
  const log = recordingLog(lines);
  const redis = connectRedis({ kind: "socket", ...database }, "main", log);
  const feed = await watchConversations(database.path, prefix);
  const build = () => assemble({ ...options, database, redis, modelUrl: model.url, log });
  let runtime = await build();
  let conversations = 0;
  if (!idle) await runtime.worker.start();

  return {
    model,
    redis,
    /** What was logged as a warning or an error. */
    lines,
    runtime: (): Runtime => runtime,
    startWorker: () => runtime.worker.start(),

    /** A conversation that no other test uses. */
    conversation(): ConversationId {
      conversations += 1;
      return parseConversationId(`${prefix}-${conversations}`);
    },

    /** Puts a message in at the door, as `user-1` unless told otherwise. */
    async send(conversationId: ConversationId, text: string, more: Partial<InboundMessage> = {}) {
      const id = more.id ?? parseMessageId(`m-${randomUUID().slice(0, 8)}`);
      const workspaceId = parseWorkspaceId("user-1");
      const received = await runtime.door.admit({ id, conversationId, workspaceId, text, at: Date.now(), ...more });
      return { ...received, id };
    },

    status: (conversation: ConversationId, id: MessageId) => runtime.door.messageStatus(conversation, id),

    /** Live events of a conversation so far. */
    events: (conversation: ConversationId): readonly LiveEvent[] => feed.events(conversation),

    /** Everything said in a conversation so far, in the order people saw it. */
    said: (conversation: ConversationId): LiveDelivery[] => deliveriesIn(feed.events(conversation)),

    /** Resolves with the delivery that answers a message. */
    answerTo: (conversation: ConversationId, id: MessageId): Promise<LiveDelivery> =>
      feed.until(() => deliveriesIn(feed.events(conversation)).find((delivery) => delivery.answers.includes(id))),

    /** Resolves with the `number`th delivery of a kind in a conversation, counted from 1. */
    delivery: (conversation: ConversationId, kind: LiveDelivery["kind"], number = 1): Promise<LiveDelivery> =>
      feed.until(() => deliveriesIn(feed.events(conversation)).filter((each) => each.kind === kind)[number - 1]),

    /** Resolves when `find` finds something; it is asked again after every live event. */
    until: <T>(find: () => T | undefined): Promise<T> => feed.until(find),

    /** Hands everything over to a new worker, as a restart of the program does. */
    async restart(): Promise<void> {
      await runtime.worker.drain(0);
      runtime = await build();
      await runtime.worker.start();
    },

    async close(): Promise<void> {
      await runtime.worker.drain(0);
      feed.stop();
      redis.disconnect();
      await model.stop();
    },
  };
}

export type Lab = Awaited<ReturnType<typeof openLab>>;

async function watchConversations(path: string, prefix: string) {
  const seen: { readonly channel: string; readonly event: LiveEvent }[] = [];
  const waiting = new Set<() => void>();
  const listener = new Redis({ path });
  // Channels are shared by all databases of the server, the prefix is not.
  await listener.psubscribe(liveChannel(parseConversationId(`${prefix}-*`)));
  listener.on("pmessage", (_pattern: string, channel: string, payload: string) => {
    seen.push({ channel, event: JSON.parse(payload) as LiveEvent });
    for (const look of waiting) look();
  });
  return {
    events: (conversation: ConversationId) =>
      seen.filter(({ channel }) => channel === liveChannel(conversation)).map(({ event }) => event),
    until<T>(find: () => T | undefined): Promise<T> {
      return new Promise((resolve) => {
        const look = () => {
          const found = find();
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
    stop: () => listener.disconnect(),
  };
}

function deliveriesIn(events: readonly LiveEvent[]): LiveDelivery[] {
  return events.flatMap((event) => (event.type === "delivery" ? [event.delivery] : []));
}

function recordingLog(lines: string[]): Log {
  const log: Log = {
    debug() {},
    info() {},
    warn: (fields, message) => void lines.push(`warn ${message} ${JSON.stringify(fields)}`),
    error: (fields, message) => void lines.push(`error ${message} ${JSON.stringify(fields)}`),
    with: () => log,
  };
  return log;
}
