import { settle } from "../src/agent/settle.ts";
import { createDeliveryHandler } from "../src/delivery/delivery.ts";
import { DEFAULT_COMPACTION, startCompactor } from "../src/engine/compactor.ts";
import type { Handler } from "../src/engine/execute.ts";
import { createWorker } from "../src/engine/worker.ts";
import { laneId, laneParts, parseConversationId, parseMessageId, parseWorkspaceId } from "../src/kernel/ids.ts";
import { inboundMessageSchema } from "../src/kernel/messages.ts";
import { silentLog, systemClock } from "../src/kernel/ports.ts";
import { createRecordedPlatform } from "../src/platforms/recorded.ts";
import { connectRedis } from "../src/store/connection.ts";
import { createConversationStore } from "../src/store/conversations.ts";
import { createLanes } from "../src/store/lanes.ts";
import { toMail } from "../src/store/mail.ts";
import { createTextSource } from "./prose.ts";
import { seededChance } from "./seeded.ts";
import { RECORD_MS } from "./workload.ts";
import { shortId } from "./short-id.ts";

const TALKING = 100;
/** After this long nobody else begins to talk, milliseconds. */
const TALK_MS = 150_000;

/**
 * Conversations on a Redis as the program leaves them: admitted as by the door, run by the engine with one model step
 * each, delivered through the outbox, compacted by the compactor. Everything runs in this process.
 */
export async function createChatWorkspaces(parts: {
  readonly socketPath: string;
  readonly seed: number;
  readonly say: (what: string) => void;
}) {
  const connect = (purpose: string) =>
    connectRedis({ kind: "socket", path: parts.socketPath }, `bench-${purpose}`, silentLog);
  const redis = connect("workspaces");
  const lanes = createLanes({ redis, partitions: 1, newId: shortId });
  const conversations = createConversationStore(redis);
  const write = createTextSource(seededChance(parts.seed));
  const delivered = new Map<string, () => void>();
  let messageBytes = 0;

  const chat: Handler = {
    async handle(run) {
      const conversation = parseConversationId(laneParts(run.lane).name);
      const { id } = inboundMessageSchema.parse(run.messages()[0]);
      const step = "ai_call_1";
      const ask = () =>
        Promise.resolve({
          text: write(messageBytes),
          toolCalls: [],
          usage: { inputTokens: 900, outputTokens: 60 },
          model: "bench-1",
        });
      const { text } = await run.step(step, ask, { last: () => true });
      const effects = settle({
        conversation,
        lane: run.lane,
        runId: run.id,
        messageIds: [id],
        fate: { end: "done", steps: 1 },
        saying: { step, kind: "answer", text },
        at: Date.now(),
        keepMs: RECORD_MS,
      });
      return { kind: "finish", end: "done", effects };
    },
    giveUp: () => ({ kind: "finish", end: "failed" }),
  };
  const worker = createWorker({
    lanes,
    connect,
    roles: {
      chat: { handler: chat, concurrency: TALKING },
      out: {
        handler: createDeliveryHandler({
          adapters: [createRecordedPlatform("api")],
          lanes,
          // The platform here has neither buttons nor previews.
          presses: { keep: () => Promise.resolve() },
          drafts: { find: () => Promise.resolve(undefined), drop: () => Promise.resolve() },
          clock: systemClock,
          log: silentLog,
          limits: () => ({ keepMs: RECORD_MS, lateMs: RECORD_MS, expireMs: RECORD_MS }),
        }),
        concurrency: TALKING,
      },
    },
    clock: systemClock,
    newId: shortId,
    log: silentLog,
    events: {
      ended({ lane }) {
        const { kind, name } = laneParts(lane);
        if (kind !== "out") return;
        delivered.get(name)?.();
        delivered.delete(name);
      },
    },
  });
  await worker.start();

  async function say(name: string): Promise<void> {
    const id = parseMessageId(shortId());
    const message = { id, conversationId: name, workspaceId: name, text: write(messageBytes), at: Date.now() };
    const answered = new Promise<void>((resolve) => delivered.set(name, resolve));
    await lanes.admit(laneId("chat", name), toMail(message, "together"));
    await answered;
  }

  return {
    /**
     * Lets so many people exchange so many messages, each after the answer to the one before. Says how many it were:
     * a slow machine gets through fewer before the time is over.
     */
    async talk(load: { readonly workspaces: number; readonly exchanges: number; readonly messageBytes: number }) {
      messageBytes = load.messageBytes;
      const endsAt = performance.now() + TALK_MS;
      let next = 0;
      const person = async () => {
        while (next < load.workspaces && performance.now() < endsAt) {
          const number = next++;
          if (number % 1_000 === 0) parts.say(`${number} of ${load.workspaces}`);
          const name = `api:user-${number}`;
          await conversations.touch(parseConversationId(name), parseWorkspaceId(name), Date.now());
          for (let exchange = 0; exchange < load.exchanges; exchange++) await say(name);
        }
      };
      await Promise.all(Array.from({ length: TALKING }, person));
      return next;
    },

    /** Packs everything that rests, as the program does after a minute and, to the smallest form, after a day. */
    async compact(): Promise<void> {
      const limits = { ...DEFAULT_COMPACTION, idleMs: -1, restMs: -1 };
      const compactor = startCompactor({ lanes, clock: systemClock, log: silentLog, limits });
      while ((await compactor.sweep()) > 0);
      compactor.stop();
    },

    async close(): Promise<void> {
      await worker.drain(1_000);
      redis.disconnect();
    },
  };
}
