import { Redis } from "ioredis";
import { afterAll } from "vitest";
import { testRedis } from "../setup/redis.ts";
import { shelves } from "../setup/shelves.ts";
import type { ApprovalView } from "../../src/agent/approvals/view.ts";
import type {
  ConversationView,
  Door,
  MessageStatus,
  RunView,
  TranscriptMessage,
} from "../../src/agent/door-contract.ts";
import { createPrivacy } from "../../src/agent/privacy/forget.ts";
import { createMemoryData } from "../../src/agent/privacy/stored.ts";
import { parseConversationId, parseMessageId, parseRunId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../../src/kernel/live.ts";
import { type InboundMessage, platformOf } from "../../src/kernel/messages.ts";
import { silentLog, systemClock } from "../../src/kernel/ports.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { createApiKeyStore } from "../../src/store/api-keys.ts";
import { createForgettingStore } from "../../src/store/forgetting.ts";
import { createLinkStore } from "../../src/store/links.ts";
import { openLinkSigner } from "../../src/store/artifact-links.ts";
import { openSchedules } from "../../src/schedules.ts";
import { createConversationStore } from "../../src/store/conversations.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { createPairingStore } from "../../src/store/pairings.ts";
import { createTicketStore } from "../../src/store/tickets.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createApi } from "../../src/api/create-api.ts";
import { createLiveFeed } from "../../src/api/live-feed.ts";
import type { ApiParts } from "../../src/api/parts.ts";

/** A door in memory: messages wait until a test answers them. */
export interface TestDoor extends Door {
  readonly admitted: readonly InboundMessage[];
  /** Answers the oldest waiting message of a conversation and returns the delivery's id. */
  answer(conversation: string, text: string): string;
  /** Puts something up for approval. */
  putUp(approval: ApprovalView): void;
  /** Makes the next call of `admit` throw this. */
  failNext(error: unknown): void;
}

interface Kept {
  readonly view: { -readonly [Key in keyof ConversationView]: ConversationView[Key] };
  readonly messages: Map<string, MessageStatus>;
  waiting: InboundMessage[];
  transcript: TranscriptMessage[];
}

function createTestDoor(): TestDoor {
  const conversations = new Map<string, Kept>();
  const runs = new Map<string, RunView>();
  const approvals = new Map<string, ApprovalView>();
  const admitted: InboundMessage[] = [];
  let failure: { readonly error: unknown } | undefined;
  let count = 0;

  function keptFor(message: InboundMessage): Kept {
    const { conversationId: id, workspaceId: owner } = message;
    const kept = conversations.get(id) ?? {
      view: {
        id,
        platform: platformOf(id),
        owner,
        lastActivityAt: 0,
        state: "idle",
        runId: undefined,
        queueMode: "queue",
        waiting: [],
      },
      messages: new Map(),
      waiting: [],
      transcript: [],
    };
    conversations.set(id, kept);
    return kept;
  }
  function statusOf(message: InboundMessage, over: Partial<MessageStatus>): MessageStatus {
    const { id, conversationId } = message;
    const none = { position: undefined, runId: undefined, steps: 0, answers: [], error: undefined };
    return { id, conversationId, status: "queued", ...none, ...over };
  }
  function change<Reply>(id: string, messageId: string, reply: Reply, by: (kept: Kept, at: number) => void) {
    const kept = conversations.get(id);
    if (kept?.messages.has(messageId) !== true) return "unknown";
    const at = kept.waiting.findIndex((message) => message.id === messageId);
    if (at < 0) return "taken";
    by(kept, at);
    return reply;
  }

  return {
    admitted,
    failNext(error) {
      failure = { error };
    },
    answer(conversation, text) {
      const kept = conversations.get(conversation);
      const message = kept?.waiting.shift();
      if (kept === undefined || message === undefined) throw new Error(`nothing waits in ${conversation}`);
      count += 1;
      const runId = parseRunId(`run_${count}`);
      const at = Date.UTC(2026, 0, 1) + count * 1000;
      const deliveryId = `${runId}:reply:0` as RunAnswer["deliveryId"];
      const answers = [{ deliveryId, text, postedId: `posted_${count}`, deliveredAt: at + 1 }];
      kept.messages.set(message.id, statusOf(message, { status: "answered", runId, steps: 1, answers }));
      kept.transcript.push(
        { id: message.id, role: "user", text: message.text, at, runId },
        { id: deliveryId, role: "assistant", text, at: at + 1, runId },
      );
      kept.view.lastActivityAt = at;
      runs.set(runId, {
        id: runId,
        conversationId: message.conversationId,
        status: "done",
        startedAt: at,
        endedAt: at + 1,
        attempt: undefined,
        messageIds: [message.id],
        steps: [{ name: "ai_call_1", what: "model", status: "done", at, ms: 1, tries: 1 }],
        inputTokens: 10,
        outputTokens: 2,
      });
      return deliveryId;
    },
    async admit(message) {
      if (failure !== undefined) {
        const { error } = failure;
        failure = undefined;
        throw error;
      }
      const kept = keptFor(message);
      const position = kept.waiting.length;
      if (kept.messages.has(message.id)) return { status: "duplicate", position: 0 };
      admitted.push(message);
      kept.messages.set(message.id, statusOf(message, { position }));
      kept.waiting.push(message);
      kept.view.lastActivityAt = message.at;
      return { status: position === 0 ? "started" : "queued", position };
    },
    async messageStatus(conversation, id) {
      return conversations.get(conversation)?.messages.get(id);
    },
    async editMessage(conversation, id, text) {
      return change(conversation, id, "changed" as const, (kept, at) => {
        kept.waiting = kept.waiting.map((message, index) => (index === at ? { ...message, text } : message));
      });
    },
    async withdrawMessage(conversation, id) {
      return change(conversation, id, "withdrawn" as const, (kept, at) => {
        const [message] = kept.waiting.splice(at, 1);
        if (message !== undefined) kept.messages.set(id, statusOf(message, { status: "withdrawn" }));
      });
    },
    async stop(conversation) {
      const runId = conversations.get(conversation)?.waiting.length === 0 ? undefined : parseRunId("run_now");
      return { stopped: runId !== undefined, runId };
    },
    async reset(conversation) {
      const kept = conversations.get(conversation);
      if (kept !== undefined) kept.transcript = [];
    },
    async conversations({ workspaceId, limit, before = Infinity }) {
      return [...conversations.values()]
        .map(({ view }) => view)
        .filter((view) => view.lastActivityAt < before && (workspaceId === undefined || view.owner === workspaceId))
        .toSorted((one, other) => other.lastActivityAt - one.lastActivityAt)
        .slice(0, limit)
        .map(({ id, platform, lastActivityAt }) => ({ id, platform, lastActivityAt }));
    },
    async conversation(id) {
      const kept = conversations.get(id);
      return kept === undefined ? undefined : { ...kept.view, waiting: kept.waiting };
    },
    async transcript(id) {
      return conversations.get(id)?.transcript ?? [];
    },
    async run(id) {
      return runs.get(id);
    },
    putUp: (approval) => void approvals.set(approval.id, approval),
    async approval(id) {
      return approvals.get(id);
    },
    async openApprovals(conversation) {
      return [...approvals.values()].filter((each) => each.conversationId === conversation && each.state === "open");
    },
    async decideApproval({ id, verdict, by }) {
      const approval = approvals.get(id);
      if (approval === undefined) return { outcome: "unknown" };
      if (!by.admin && by.name !== approval.askedOf) return { outcome: "forbidden", approval };
      if (approval.state !== "open") return { outcome: "decided", approval };
      const state = verdict === "approve" ? "approved" : "denied";
      const decided: ApprovalView = { ...approval, state, decidedBy: by.name, decidedAt: 1 };
      approvals.set(id, decided);
      return { outcome: "recorded", approval: decided };
    },
  };
}

type RunAnswer = MessageStatus["answers"][number];

/** The configured admin key of {@link createTestParts}, when it is asked for. */
export const ADMIN_KEY = "admin-key-of-the-configuration";

/** Builds parts around a test door on a real Redis of the calling file's own; call it once, at the top of the file. */
export async function createTestParts() {
  const target = await testRedis();
  const redis = new Redis(target);
  const { artifacts, attachments, uploads } = shelves(redis);
  const fileLinks = await openLinkSigner(redis, { lifetimeMs: () => 3_600_000, clock: systemClock });
  const live = createLiveFeed({ connect: () => new Redis(target), log: silentLog });
  afterAll(() => {
    live.close();
    redis.disconnect();
  });
  let id = 0;
  const newId = () => `id${(id += 1)}`;

  return {
    redis,
    target,
    newId,
    artifacts,
    uploads,
    fileLinks,
    /** An API with a door of its own. Without `adminKey` it is open to everyone until a key is stored. */
    create(over: Partial<ApiParts> & { readonly adminKey?: string } = {}) {
      const { adminKey, ...parts } = over;
      const door = createTestDoor();
      const keys = createApiKeyStore(redis, {
        newId,
        clock: systemClock,
        ...(adminKey === undefined ? {} : { adminKey: new Secret(adminKey) }),
      });
      const memory = createMemoryStore(redis);
      const links = createLinkStore(redis);
      const tickets = createTicketStore(redis);
      const privacy = createPrivacy({
        data: [createMemoryData(memory)],
        progress: createForgettingStore(redis),
        namesOf: (person) => Promise.resolve([person]),
        clock: systemClock,
        newId,
      });
      const api = createApi({
        door,
        keys,
        redis,
        live,
        memory,
        links,
        tickets,
        privacy,
        artifacts,
        attachments,
        fileLinks,
        schedules: openSchedules({
          lanes: createLanes({ redis, partitions: 1, newId }),
          conversations: createConversationStore(redis),
          memory,
          door: () => door,
          config: () => ({ schedules: { max_per_person: 100, min_interval_s: 1 } }),
          clock: systemClock,
          newId,
          log: silentLog,
        }).schedules,
        pairings: createPairingStore(redis, systemClock),
        admins: () => ["root"],
        tools: () => Promise.resolve([]),
        ready: async () => ({ redis: true }),
        metrics: createMetrics(),
        config: { host: "127.0.0.1", hasAdminKey: adminKey !== undefined },
        log: silentLog,
        clock: systemClock,
        newId,
        ...parts,
      });
      return { api, door, keys, memory, links, tickets };
    },
    /** Tells whoever watches a conversation, as a worker would. */
    async announce(conversation: string, event: LiveEvent): Promise<void> {
      await redis.publish(liveChannel(parseConversationId(conversation)), JSON.stringify(event));
    },
  };
}

/** A delivery as a worker announces it. */
export function deliveryEvent(id: string, text: string): LiveEvent {
  return {
    type: "delivery",
    delivery: {
      id: id as RunAnswer["deliveryId"],
      kind: "answer",
      text,
      answers: [parseMessageId("m1")],
      at: Date.UTC(2026, 0, 1),
    },
  };
}

export const ALICE = parseWorkspaceId("alice");
