import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { createWorker } from "../engine/worker.ts";
import { OutsideError, type OutsideCode } from "../kernel/errors.ts";
import { laneId, parseConversationId, parseMessageId, parseRunId, parseWorkspaceId } from "../kernel/ids.ts";
import type { ConversationId, DeliveryId, MessageId } from "../kernel/ids.ts";
import type { OutboundMessage } from "../kernel/messages.ts";
import { buttonsOf } from "../kernel/presses.ts";
import { silentLog, systemClock } from "../kernel/ports.ts";
import type { PlatformAdapter, SendSafety } from "../platforms/contract.ts";
import { createLanes } from "../store/lanes.ts";
import { partitionKeys } from "../store/keys.ts";
import { createPressStore } from "../store/presses.ts";
import { createShownStore } from "../store/shown.ts";
import { createDeliveryHandler } from "./delivery.ts";

const database = await testRedis();
const redis = new Redis(database);
afterAll(() => redis.disconnect());
const newId = () => randomUUID().replaceAll("-", "");
const lanes = createLanes({ redis, partitions: 1, newId });

interface Sent {
  readonly id: string;
  readonly text: string;
  readonly repeat: boolean;
  readonly buttons: readonly string[];
  readonly file?: string;
  readonly draft?: string;
}

/** What the platform saw, and what it does at the next sends before it takes messages again. */
let sent: Sent[] = [];
let behaviours: ((signal: AbortSignal) => Promise<unknown>)[] = [];
let settled: { text: string; result: string }[] = [];
let onSettled = () => {};
let clockShift = 0;

beforeEach(() => {
  sent = [];
  behaviours = [];
  settled = [];
  clockShift = 0;
});

/** A minute, in which people notice that an answer is late; after an hour it is too old. */
const LIMITS = { keepMs: 60_000, lateMs: 60_000, expireMs: 3_600_000 };
const presses = createPressStore(redis);
const shown = createShownStore(redis);

async function startWorker(sendSafety: SendSafety = "none", { hasAccount = true } = {}) {
  const slack: PlatformAdapter = {
    name: "slack",
    sendSafety,
    abilities: {
      edit: true,
      typing: false,
      stream: true,
      threads: false,
      buttons: true,
      files: true,
      reactions: false,
      ephemeral: false,
      history: false,
    },
    presence: { typingEveryMs: 60_000, preview: () => Promise.resolve(undefined) },
    render: ({ text }) => text.split("|"),
    async send({ id, text, buttons, file }, { repeatSince, draft, signal }) {
      sent.push({
        id,
        text,
        repeat: repeatSince !== undefined,
        buttons: buttons.map(({ label }) => label),
        ...(file === undefined ? {} : { file: file.name }),
        ...(draft === undefined ? {} : { draft }),
      });
      await behaviours.shift()?.(signal);
      return { postedId: `posted-${id}` };
    },
  };
  const clock = { now: () => Date.now() + clockShift, monotonic: () => systemClock.monotonic() };
  const handler = createDeliveryHandler({
    adapters: hasAccount ? [slack] : [],
    lanes,
    presses,
    drafts: shown,
    clock,
    log: silentLog,
    limits: () => LIMITS,
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

async function put(
  conversation: ConversationId,
  text: string,
  answers: readonly MessageId[] = [],
  more: Partial<OutboundMessage> = {},
): Promise<void> {
  const id = `run:${text}:0` as DeliveryId;
  const message: OutboundMessage = {
    id,
    conversationId: conversation,
    kind: "answer",
    text,
    answers: [...answers],
    at: Date.now(),
    ...more,
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
const refuse = (code: OutsideCode, afterMs?: number) => () =>
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
    expect(sent.map(({ id, repeat }) => ({ id, repeat }))).toEqual([
      { id: "run:maybe sent:0", repeat: false },
      { id: "run:maybe sent:0", repeat: true },
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

test("where recording is publishing, nothing is sent: the note is the message", async () => {
  const chat = conversation();
  const question = parseMessageId("q3");
  await put(chat, "recorded|whole", [question]);
  await startWorker("by-record");
  await settledCount(1);
  expect(sent).toEqual([]);
  expect(await notesOf(chat, question)).toMatchObject([{ text: "recorded|whole", postedId: "run:recorded|whole:0" }]);
});

test.each([
  ["rate-limited", false],
  ["overloaded", false],
  ["timeout", true],
  ["unavailable", true],
] as const)("after a try that ended with %s the next one is a repetition: %s", async (code, isRepeat) => {
  behaviours = [refuse(code, 1)];
  await put(conversation(), "again");
  await startWorker();
  await settledCount(1);
  expect(sent.map(({ repeat }) => repeat)).toEqual([false, isRepeat]);
});

test("what is once unknown stays unknown when a later try is refused", async () => {
  behaviours = [refuse("timeout", 1), refuse("rate-limited", 1)];
  await put(conversation(), "still unknown");
  await startWorker();
  await settledCount(1);
  expect(sent.map(({ repeat }) => repeat)).toEqual([false, true, true]);
});

test("a long message leaves in parts, then its files; each is sent once, whatever fails between them", async () => {
  const file = {
    artifact_id: "a1",
    name: "plan.txt",
    media_type: "text/plain",
    bytes: 4,
    user_id: parseWorkspaceId("ada"),
  };
  behaviours = [() => Promise.resolve(), refuse("rate-limited", 1), () => Promise.resolve(), refuse("rate-limited", 1)];
  await put(conversation(), "one|two", [], { files: [file], choices: ["Yes", "No"] });
  await startWorker();
  await settledCount(1);
  expect(sent.map(({ id, text, file: name, buttons }) => [id, text, name, buttons.join()])).toEqual([
    ["run:one|two:0", "one", undefined, ""],
    ["run:one|two:1", "two", undefined, "Yes,No"],
    ["run:one|two:1", "two", undefined, "Yes,No"],
    ["run:one|two:2", "", "plan.txt", ""],
    ["run:one|two:2", "", "plan.txt", ""],
  ]);
});

test("what a button does is kept before anybody can press it", async () => {
  const chat = conversation();
  const found: unknown[] = [];
  await put(chat, "Which?", [], { kind: "question", choices: ["Red", "Blue"] });
  const [, blue] = buttonsOf({
    id: "run:Which?:0" as DeliveryId,
    conversationId: chat,
    kind: "question",
    text: "Which?",
    choices: ["Red", "Blue"],
    answers: [],
    at: 0,
  });
  behaviours = [async () => found.push(await presses.find(blue?.token ?? ""))];
  await startWorker();
  await settledCount(1);
  expect(found).toMatchObject([{ kind: "choice", conversationId: chat, text: "Blue" }]);
});

test("an answer takes the place of its own run's preview, and of no other's", async () => {
  const chat = conversation();
  await shown.keepDraft(chat, parseRunId("run"), "preview-7");
  await put(chat, "final|more");
  await startWorker();
  await settledCount(1);
  expect(sent.map(({ draft }) => draft)).toEqual(["preview-7", undefined]);
  await put(chat, "the next one");
  await settledCount(2);
  expect(sent.at(-1)?.draft).toBeUndefined();
});

test("after an outage the answers that waited become one message, and each counts as answered by it", async () => {
  const chat = conversation();
  const questions = ["l1", "l2", "l3"].map(parseMessageId);
  const old = { at: Date.now() - 10 * 60_000 };
  for (const [index, question] of questions.entries()) await put(chat, `late ${index + 1}`, [question], old);
  await put(chat, "fresh");
  await startWorker();
  await settledCount(4);
  expect(sent.map(({ text }) => text)).toEqual([
    "For 10 minutes my messages did not get through. These are the 3 that waited:\n\nlate 1\n\n---\n\nlate 2\n\n---\n\nlate 3",
    "fresh",
  ]);
  for (const [index, question] of questions.entries())
    expect(await notesOf(chat, question)).toMatchObject([
      { text: expect.stringContaining(`late ${index + 1}`), postedId: "posted-run:late 1:0" },
    ]);
});

test("a single late answer leaves as it is, and a question is never hidden in a summary", async () => {
  const old = { at: Date.now() - 10 * 60_000 };
  const chat = conversation();
  await put(chat, "late", [], old);
  await put(chat, "Which?", [], { ...old, kind: "question", choices: ["Red"] });
  await startWorker();
  await settledCount(2);
  expect(sent.map(({ text }) => text)).toEqual(["late", "Which?"]);
});

test("what is too old is not sent any more: it is a dead letter", async () => {
  const chat = conversation();
  const question = parseMessageId("q4");
  await put(chat, "ancient", [question], { at: Date.now() - 2 * 3_600_000, kind: "question" });
  await startWorker();
  await settledCount(1);
  expect(sent).toEqual([]);
  expect(await notesOf(chat, question)).toEqual([
    { deliveryId: "run:ancient:0", undelivered: "timeout: it is too old to be sent now" },
  ]);
});

test("a process without the platform's account leaves the message to one that has it, until it is too old", async () => {
  const chat = conversation();
  await put(chat, "for another process");
  await put(conversation(), "for nobody any more", [], { at: Date.now() - 2 * 3_600_000 });
  const poor = await startWorker("none", { hasAccount: false });
  await settledCount(1);
  expect(settled).toEqual([{ text: "for nobody any more", result: "dead" }]);
  const parked = async () => (await lanes.look(laneId("out", chat))).kind;
  await expect.poll(parked).toBe("parked");
  await poor.drain(0);
  await startWorker();
  await settledCount(2);
  expect(sent.map(({ text, repeat }) => [text, repeat])).toEqual([["for another process", false]]);
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
