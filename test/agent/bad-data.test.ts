import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { chatLane, controlLane, outboxLane } from "../../src/agent/lanes-of.ts";
import {
  parseMessageId,
  parseWorkspaceId,
  type ConversationId,
  type LaneId,
  type MessageId,
} from "../../src/kernel/ids.ts";
import { laneKeys, partitionKeys } from "../../src/store/keys.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, hold, raw, say } from "./model-server.ts";

const lab = await openLab({ database: await testRedis() });
afterAll(() => lab.close());

const keysOf = (lane: LaneId) => laneKeys(partitionKeys(0).tag, lane);

/** Puts an entry in a lane as if the door had, with a body of the test's own. */
async function putRaw(
  lane: LaneId,
  id: string,
  body: string,
  mode: "alone" | "together" = "alone",
): Promise<MessageId> {
  const messageId = parseMessageId(id);
  await lab.runtime().lanes.admit(lane, { id: messageId, mode, body });
  return messageId;
}

async function ask(chat: ConversationId, text: string): Promise<string> {
  const { id } = await lab.send(chat, text);
  return (await lab.answerTo(chat, id)).text;
}

describe("texts", () => {
  test("a message of 32,000 characters is answered and read by the model in full", async () => {
    const chat = lab.conversation();
    const text = `long one ${"é".repeat(32_000 - 9)}`;
    lab.model.when("long one", say("Read it."));
    expect(await ask(chat, text)).toBe("Read it.");
    expect(lab.model.about("long one")[0]?.messages[1]?.content).toBe(text);
  });

  test("an answer of a million characters arrives whole", async () => {
    const chat = lab.conversation();
    const text = "A whole book. ".repeat(75_000);
    lab.model.when("write a book", say(text));
    const { id } = await lab.send(chat, "write a book");
    expect((await lab.answerTo(chat, id)).text === text).toBe(true);
    expect((await lab.status(chat, id))?.answers[0]?.text === text).toBe(true);
    lab.model.when("and next", say("As ever."));
    expect(await ask(chat, "and next")).toBe("As ever.");
    expect(lab.model.about("and next")[0]?.messages.map(({ content }) => content)).toEqual([
      expect.any(String),
      "and next",
    ]);
  });

  test("NUL and half characters reach neither the model nor the record as such", async () => {
    const chat = lab.conversation();
    lab.model.when(
      "odd text",
      raw(
        `data: ${String.raw`{"choices":[{"delta":{"content":"half \ud83d of it"},"finish_reason":"stop"}]}`}\n\ndata: [DONE]\n\n`,
      ),
    );
    const { id } = await lab.send(chat, "odd text \0 with \ud83d inside", { authorName: "A\udc00na" });
    expect((await lab.answerTo(chat, id)).text).toBe("half \uFFFD of it");
    const [asked] = lab.model.about("odd text");
    expect(asked?.messages[1]?.content).toBe("A\uFFFDna: odd text \uFFFD with \uFFFD inside");
    expect(asked?.raw.toWellFormed()).toBe(asked?.raw);
    expect(asked?.raw).not.toMatch(/\\u0000|\\ud83d/i);
    expect((await lab.runtime().door.transcript(chat)).map(({ text }) => text)).toEqual([
      "odd text \0 with \uFFFD inside",
      "half \uFFFD of it",
    ]);
  });

  test.each(["/", "//", "/ stop", "/etc/passwd", "/7", " ", "\0", "{}", "__proto__", '"', "\\", "${x}"])(
    "the text %j is a message like any other",
    async (text) => {
      const chat = lab.conversation();
      lab.model.when(text.replace("\0", "\uFFFD"), say("Noted."));
      const { id } = await lab.send(chat, text);
      expect(await lab.answerTo(chat, id)).toMatchObject({ kind: "answer", text: "Noted.", answers: [id] });
    },
  );
});

describe("damage in Redis", () => {
  test("unreadable lines in the history are passed over, and what is around them is kept", async () => {
    const chat = lab.conversation();
    lab.model.when("remember 7", say("Seven it is."));
    await ask(chat, "remember 7");
    const { journal } = keysOf(chatLane(chat));
    await lab.redis.rpush(
      journal,
      "nonsense",
      ">{not json",
      '={"s":"ai_call_1","v":{"text":5},"at":1}',
      '={"s":"tool_1_1","v":"what?","at":1}',
      '={"s":"ai_call_2","e":{},"at":1}',
      ">-x ghost null",
      "+-y ghost 5",
      '+-z ghost {"id":7}',
      '={"s":"ai_call_1","v":{"text":"","toolCalls":[{"id":"g","name":"gone","args":"{"}],"usage":{"inputTokens":1,"outputTokens":1},"model":"m"},"at":1,"ms":1}',
      "",
      '.{"run":"ghost"}',
    );
    lab.model.when("which number", say("Seven."));
    expect(await ask(chat, "which number")).toBe("Seven.");
    const { messages } = lab.model.request("which number");
    expect(messages.slice(1, 3).map(({ content }) => content)).toEqual(["remember 7", "Seven it is."]);
    expect(messages.at(-1)?.content).toBe("which number");
    expect(await ask(chat, "/debug")).toMatch(/^Run .*: done/);
    expect((await lab.runtime().door.transcript(chat)).map(({ text }) => text)).toEqual([
      "remember 7",
      "Seven it is.",
      "which number",
      "Seven.",
    ]);
  });

  test("a damaged archive costs the oldest part of the history and nothing else", async () => {
    const chat = lab.conversation();
    lab.model.when("before the damage", say("Yes."));
    await ask(chat, "before the damage");
    await lab.redis.set(keysOf(chatLane(chat)).archive, "no archive");
    await lab.restart();
    lab.model.when("after the damage", say("Still here."));
    expect(await ask(chat, "after the damage")).toBe("Still here.");
    expect(lab.lines.some((line) => line.includes("an archive could not be read"))).toBe(true);
  });

  test.each([
    { given: "is no JSON", body: '{"id":"BODY","text":"cut of' },
    { given: "is JSON of another shape", body: '{"id":"BODY","text":5}' },
  ])("a message whose body $given gets one clear answer, and so does the next", async ({ body, given }) => {
    const chat = lab.conversation();
    const id = await putRaw(chatLane(chat), `bad-${given.length}`, body.replace("BODY", `bad-${given.length}`));
    expect(await lab.answerTo(chat, id)).toMatchObject({
      kind: "error",
      text: expect.stringMatching(/^This message could not be read\./),
    });
    expect(await lab.status(chat, id)).toMatchObject({ status: "failed", error: { code: "invalid_message" } });
    lab.model.when(`next of ${given}`, say("Fine."));
    expect(await ask(chat, `next of ${given}`)).toBe("Fine.");
    expect(lab.said(chat)).toHaveLength(2);
  });

  test("a damaged message among collected ones does not leave the others without an answer", async () => {
    const chat = lab.conversation();
    await ask(chat, "/queue collect");
    const held = hold(say("First."));
    lab.model.when("collect start", held.reply);
    await lab.send(chat, "collect start");
    await held.arrived;
    const good = await lab.send(chat, 'a good one with "quotes"', { id: parseMessageId('odd"id\\') });
    const bad = await putRaw(chatLane(chat), "bad-among", '{"id":"bad-among",', "together");
    held.release();
    expect((await lab.answerTo(chat, good.id)).answers).toEqual([good.id, bad]);
    for (const id of [good.id, bad]) expect(await lab.status(chat, id)).toMatchObject({ status: "failed" });
  });

  test("a damaged message in line disturbs neither /status nor /queue nor the view of the conversation", async () => {
    const chat = lab.conversation();
    const held = hold(say("Done."));
    lab.model.when("hold the line", held.reply);
    await lab.send(chat, "hold the line");
    await held.arrived;
    const bad = await putRaw(chatLane(chat), "bad-in-line", "{");
    expect(await ask(chat, "/status")).toMatch(/^I am working/);
    expect(await ask(chat, "/queue")).toContain("1. (a message that cannot be read)");
    expect(await lab.runtime().door.conversation(chat)).toMatchObject({ state: "running", waiting: [] });
    expect(await lab.runtime().door.editMessage(chat, bad, "better")).toBe("taken");
    expect(await lab.runtime().door.withdrawMessage(chat, bad)).toBe("withdrawn");
    held.release();
    await lab.delivery(chat, "answer");
  });

  test("a command whose body cannot be read is answered, too", async () => {
    const chat = lab.conversation();
    const id = await putRaw(controlLane(chat), "bad-command", '{"id":"bad-command","text":"/st');
    expect((await lab.answerTo(chat, id)).text).toBe("This message could not be read.");
  });

  test("an outbox entry that cannot be read goes to the dead letters, and the next is delivered", async () => {
    const chat = lab.conversation();
    const lane = `out/${chat}` as LaneId;
    await putRaw(lane, "bad-out", '{"id":5}');
    await putRaw(lane, "worse-out", "{");
    lab.model.when("deliver me", say("Delivered."));
    expect(await ask(chat, "deliver me")).toBe("Delivered.");
    const letters = await lab.redis.lrange(partitionKeys(0).dead, 0, -1);
    expect(letters.map((letter): unknown => JSON.parse(letter))).toMatchObject([
      { reason: "unreadable" },
      { reason: "unreadable" },
    ]);
  });

  test("a run whose journal was erased by hand ends, and the conversation goes on", async () => {
    const chat = lab.conversation();
    lab.model.when("erase me", call({ name: "ask_user", args: { question: "Still there?" } }));
    await lab.send(chat, "erase me");
    await lab.delivery(chat, "question");
    await lab.redis.del(keysOf(chatLane(chat)).journal);
    expect(await ask(chat, "/stop")).toMatch(/^Stopped\./);
    lab.model.when("start over", say("Here."));
    expect(await ask(chat, "start over")).toBe("Here.");
  });
});

test("a conversation on a platform that no process has fails in the record when its answer is too old, not never", async () => {
  const chat = `slack:C1:${Date.now()}` as ConversationId;
  lab.model.when("to nowhere", say("Nobody reads this."));
  const id = parseMessageId("to-nowhere");
  await lab
    .runtime()
    .door.admit({ id, conversationId: chat, workspaceId: parseWorkspaceId("u"), text: "to nowhere", at: 1 });
  await expect.poll(async () => (await lab.runtime().lanes.look(outboxLane(chat))).kind).toBe("parked");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 86_400_000 });
  onTestFinished(() => void vi.useRealTimers());
  await expect.poll(async () => (await lab.status(chat, id))?.status).toBe("failed");
  expect(await lab.status(chat, id)).toMatchObject({
    status: "failed",
    answers: [],
    error: { code: "undelivered", message: "The answer could not be delivered: overloaded: slack is not set up here" },
  });
});
