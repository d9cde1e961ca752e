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
  /** Budgets and prices of the settings count, as in the program. */
  readonly metered?: boolean;
  /** Another model than the scripted one. */
  readonly modelUrl?: string;
  /** Nothing is worked on until `startWorker`. */
  readonly idle?: boolean;
}

/** A whole agent on a real Redis with a scripted model, and what people see of it. Close it when the file is over. */
export async function openLab({ database, idle = false, ...options }: LabOptions) {
  const model = await startModelServer();
  const prefix = `api:${randomUUID().slice(0, 8)}`;
  const lines: string[] = [];
  const everything: string[] = [];
  const log = recordingLog(lines, everything);
  const redis = connectRedis({ kind: "socket", ...database }, "main", log);
  const feed = await watchConversations(database.path, prefix);
  const build = () => assemble({ modelUrl: model.url, ...options, database, redis, log });
  let runtime = await build();
  let conversations = 0;
  if (!idle) await runtime.worker.start();

  return {
    model,
    redis,
    /** What was logged as a warning or an error. */
    lines,
    /** Everything that was logged. */
    log: everything,
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
    said: (conversation: ConversationId): readonly LiveDelivery[] => feed.deliveries(conversation),

    /** Resolves with the delivery that answers a message. */
    answerTo: (conversation: ConversationId, id: MessageId): Promise<LiveDelivery> =>
      feed.until(() => feed.deliveries(conversation).find((delivery) => delivery.answers.includes(id))),

    /** Resolves with the `number`th delivery of a kind in a conversation, counted from 1. */
    delivery: (conversation: ConversationId, kind: LiveDelivery["kind"], number = 1): Promise<LiveDelivery> =>
      feed.until(() => feed.deliveries(conversation).filter((each) => each.kind === kind)[number - 1]),

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
  const seen = new Map<string, { readonly events: LiveEvent[]; readonly deliveries: LiveDelivery[] }>();
  const waiting = new Set<() => void>();
  const listener = new Redis({ path });
  // Channels are shared by all databases of the server, the prefix is not.
  await listener.psubscribe(liveChannel(parseConversationId(`${prefix}-*`)));
  listener.on("pmessage", (_pattern: string, channel: string, payload: string) => {
    const event = JSON.parse(payload) as LiveEvent;
    const here = seen.get(channel) ?? { events: [], deliveries: [] };
    here.events.push(event);
    if (event.type === "delivery") here.deliveries.push(event.delivery);
    seen.set(channel, here);
    for (const look of waiting) look();
  });
  return {
    events: (conversation: ConversationId): readonly LiveEvent[] => seen.get(liveChannel(conversation))?.events ?? [],
    deliveries: (conversation: ConversationId): readonly LiveDelivery[] =>
      seen.get(liveChannel(conversation))?.deliveries ?? [],
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

function recordingLog(lines: string[], everything: string[]): Log {
  const note = (level: string, fields: object, message: string) => {
    const line = `${level} ${message} ${JSON.stringify(fields)}`;
    everything.push(line);
    if (level === "warn" || level === "error") lines.push(line);
  };
  const log: Log = {
    debug: (fields, message) => note("debug", fields, message),
    info: (fields, message) => note("info", fields, message),
    warn: (fields, message) => note("warn", fields, message),
    error: (fields, message) => note("error", fields, message),
    with: () => log,
  };
  return log;
}
