import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { createWorker } from "../engine/worker.ts";
import { OutsideError } from "../kernel/errors.ts";
import { laneId, parseConversationId, parseMessageId } from "../kernel/ids.ts";
import type { ConversationId, DeliveryId, MessageId } from "../kernel/ids.ts";
import type { OutboundMessage } from "../kernel/messages.ts";
import { silentLog, systemClock } from "../kernel/ports.ts";
import type { PlatformAdapter, SendSafety } from "../platforms/contract.ts";
import { createLanes } from "../store/lanes.ts";
import { partitionKeys } from "../store/keys.ts";
import { createDeliveryHandler } from "./delivery.ts";

const database = await testRedis();
const redis = new Redis(database);
afterAll(() => redis.disconnect());
const newId = () => randomUUID().replaceAll("-", "");
const lanes = createLanes({ redis, partitions: 1, newId });

interface Sent {
  readonly text: string;
  readonly repeat: boolean;
}

/** What the platform saw, and what it does at the next sends before it takes messages again. */
let sent: Sent[] = [];
let behaviours: ((signal: AbortSignal) => Promise<unknown>)[] = [];
let settled: { text: string; result: string }[] = [];
let onSettled = () => {};

beforeEach(() => {
  sent = [];
  behaviours = [];
  settled = [];
});

async function startWorker(sendSafety: SendSafety = "none") {
  const slack: PlatformAdapter = {
    name: "slack",
    sendSafety,
    async send(message, { repeat, signal }) {
      sent.push({ text: message.text, repeat });
      await behaviours.shift()?.(signal);
      return { postedId: `posted-${message.id}` };
    },
  };
  const handler = createDeliveryHandler({
    adapters: [slack],
    clock: systemClock,
    log: silentLog,
    keepMs: 60_000,
    onDelivered: ({ text }, result) => {
      settled.push({ text, result });
      onSettled();
    },
  });
  const worker = createWorker({
    lanes,
    connect: () => new Redis(database),
    roles: { out: { handler, concurrency: 8 } },
    clock: systemClock,
    newId,
    log: silentLog,
  });
  await worker.start();
  onTestFinished(() => worker.drain(0));
  return worker;
}

async function put(conversation: ConversationId, text: string, answers: readonly MessageId[] = []): Promise<void> {
  const id = `run:${text}:0` as DeliveryId;
  const message: OutboundMessage = {
    id,
    conversationId: conversation,
    kind: "answer",
    text,
    answers: [...answers],
    at: 1,
  };
  const mail = { id: parseMessageId(text.replaceAll(" ", "-")), mode: "alone", body: JSON.stringify(message) } as const;
  await lanes.admit(laneId("out", conversation), mail);
}

function settledCount(count: number): Promise<void> {
  return new Promise((resolve) => {
    onSettled = () => {
      if (settled.length >= count) resolve();
    };
    onSettled();
  });
}

const conversation = () => parseConversationId(`slack:${newId()}`);
const refuse = (code: "forbidden" | "rate-limited", afterMs?: number) => () =>
  Promise.reject(
    new OutsideError("the platform said no", {
      code,
      ...(afterMs === undefined ? {} : { retry: { kind: "after", ms: afterMs } }),
    }),
  );

/** Notes beside a message, once the outbox has let go of what answers it. */
async function notesOf(chat: ConversationId, id: MessageId): Promise<unknown[]> {
  for (;;) {
    const notes = await lanes.answers(laneId("chat", chat), id);
    if (notes.length > 0) return notes.map((note): unknown => JSON.parse(note));
  }
}

test("messages leave in their order, and each is noted beside what it answers", async () => {
  const chat = conversation();
  const question = parseMessageId("q1");
  await put(chat, "one", [question]);
  await put(chat, "two", [question]);
  await put(chat, "three");
  await startWorker();
  await settledCount(3);
  expect(sent.map(({ text }) => text)).toEqual(["one", "two", "three"]);
  expect(await notesOf(chat, question)).toMatchObject([
    { deliveryId: "run:one:0", text: "one", postedId: "posted-run:one:0" },
    { deliveryId: "run:two:0", text: "two", postedId: "posted-run:two:0" },
  ]);
});

test("a rate limit holds back the whole conversation and no other", async () => {
  const [limited, other] = [conversation(), conversation()];
  behaviours = [refuse("rate-limited", 150)];
  await put(limited, "first");
  await put(limited, "second");
  await startWorker();
  await put(other, "elsewhere");
  await settledCount(3);
  expect(settled.map(({ text }) => text)).toEqual(["elsewhere", "first", "second"]);
  expect(sent.filter(({ text }) => text === "first")).toHaveLength(2);
});

test("what a platform refuses for good is noted as undelivered and kept as a dead letter; the next one leaves", async () => {
  const chat = conversation();
  const question = parseMessageId("q2");
  behaviours = [refuse("forbidden")];
  await put(chat, "unwanted", [question]);
  await put(chat, "welcome");
  await startWorker();
  await settledCount(2);
  expect(settled).toEqual([
    { text: "unwanted", result: "dead" },
    { text: "welcome", result: "delivered" },
  ]);
  expect(await notesOf(chat, question)).toEqual([
    { deliveryId: "run:unwanted:0", undelivered: "forbidden: the platform said no" },
  ]);
  const letters = await redis.lrange(partitionKeys(0).dead, 0, -1);
  expect(letters.some((letter) => letter.includes('"text":"unwanted"'))).toBe(true);
});

test.each(["none", "by-key"] as const)(
  "a send that a stopping worker left without an outcome is repeated as a repetition (%s)",
  async (safety) => {
    const chat = conversation();
    const sending = Promise.withResolvers<void>();
    behaviours = [
      (signal) => {
        sending.resolve();
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        });
      },
    ];
    await put(chat, "maybe sent");
    const first = await startWorker(safety);
    await sending.promise;
    await first.drain(0);
    await startWorker(safety);
    await settledCount(1);
    expect(sent).toEqual([
      { text: "maybe sent", repeat: false },
      { text: "maybe sent", repeat: true },
    ]);
  },
);

test("a first send is not called a repetition, even after the message waited long in line", async () => {
  const chat = conversation();
  await put(chat, "patient");
  await put(chat, "patient too");
  await startWorker();
  await settledCount(2);
  expect(sent.map(({ repeat }) => repeat)).toEqual([false, false]);
});

test("where recording is publishing, nothing is ever called a repetition", async () => {
  const chat = conversation();
  await put(chat, "recorded");
  await startWorker("by-record");
  await settledCount(1);
  expect(sent).toEqual([{ text: "recorded", repeat: false }]);
});

test("a bug in an adapter does not block the conversation", async () => {
  const chat = conversation();
  behaviours = [() => Promise.reject(new TypeError("x is not a function"))];
  await put(chat, "buggy");
  await put(chat, "healthy");
  await startWorker();
  await settledCount(2);
  expect(settled).toEqual([
    { text: "buggy", result: "dead" },
    { text: "healthy", result: "delivered" },
  ]);
});
