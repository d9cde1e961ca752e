import { afterAll, describe, expect, test } from "vitest";
import { stopRun } from "../../src/agent/stop.ts";
import { readConversation } from "../../src/agent/views.ts";
import type { ConversationId, MessageId } from "../../src/kernel/ids.ts";
import { parseMessageId } from "../../src/kernel/ids.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, hold, refuse, say } from "./model-server.ts";

const lab = await openLab({ database: await testRedis(), settings: "queue:\n  max_waiting: 25\n" });
afterAll(() => lab.close());

/** A conversation whose mode is chosen and whose first message is being answered until `release`. */
async function busyConversation(mode: string, word: string) {
  const chat = lab.conversation();
  await lab.answerTo(chat, (await lab.send(chat, `/queue ${mode}`)).id);
  const held = hold(say(`answer to ${word}`));
  lab.model.when(word, held.reply);
  const first = await lab.send(chat, word);
  await held.arrived;
  return { chat, first: first.id, held };
}

function idAt(ids: readonly MessageId[], index: number): MessageId {
  const id = ids[index];
  if (id === undefined) throw new Error(`there is no message ${index}`);
  return id;
}

const texts = (chat: ConversationId) => lab.said(chat).map(({ text }) => text);

describe("queue", () => {
  test("messages that arrive during a run are answered one by one in their order", async () => {
    const { chat, first, held } = await busyConversation("queue", "opening");
    lab.model.when("question", ...Array.from({ length: 20 }, (_, index) => say(`answer ${index}`)));
    const sent: MessageId[] = [];
    for (let index = 0; index < 20; index++) {
      const { id, status, position } = await lab.send(chat, `question ${index}`);
      expect([status, position]).toEqual(["queued", index + 1]);
      sent.push(id);
    }
    expect(await lab.status(chat, idAt(sent, 4))).toMatchObject({ status: "queued", position: 5 });
    held.release();
    await lab.answerTo(chat, idAt(sent, 19));
    expect(
      lab
        .said(chat)
        .slice(1)
        .map(({ answers }) => answers),
    ).toEqual([[first], ...sent.map((id) => [id])]);
    expect(texts(chat).slice(2)).toEqual(sent.map((_id, index) => `answer ${index}`));
    for (const [index, id] of sent.entries())
      expect(await lab.status(chat, id)).toMatchObject({ status: "answered", answers: [{ text: `answer ${index}` }] });
    const transcript = await lab.runtime().door.transcript(chat);
    expect(transcript.map(({ id }) => id).filter((id) => sent.includes(id as MessageId))).toEqual(sent);
  });

  test("a message sent five times at once is kept and answered once", async () => {
    const chat = lab.conversation();
    lab.model.when("only once", say("once"), say("twice"));
    const id = parseMessageId("same-id");
    const received = await Promise.all(Array.from({ length: 5 }, () => lab.send(chat, "only once", { id })));
    expect(received.map(({ status }) => status).toSorted()).toEqual([
      "duplicate",
      "duplicate",
      "duplicate",
      "duplicate",
      "started",
    ]);
    await lab.answerTo(chat, id);
    expect((await lab.send(chat, "only once", { id })).status).toBe("duplicate");
    lab.model.when("after it", say("done"));
    await lab.answerTo(chat, (await lab.send(chat, "after it")).id);
    expect(texts(chat)).toEqual(["once", "done"]);
    expect((await lab.status(chat, id))?.answers).toHaveLength(1);
  });

  test("the same id in two conversations is two messages", async () => {
    const [one, two] = [lab.conversation(), lab.conversation()];
    const id = parseMessageId("shared-id");
    lab.model.when("twin", say("first"), say("second"));
    await lab.answerTo(one, (await lab.send(one, "twin", { id })).id);
    await lab.answerTo(two, (await lab.send(two, "twin", { id })).id);
    expect([texts(one), texts(two)]).toEqual([["first"], ["second"]]);
  });

  test("a waiting message can be changed and withdrawn, one that was taken cannot", async () => {
    const { chat, first, held } = await busyConversation("queue", "editing");
    const { door } = lab.runtime();
    const changed = await lab.send(chat, "before the edit");
    const withdrawn = await lab.send(chat, "never mind");
    lab.model.when("after the edit", say("edited answer"));
    expect(await door.editMessage(chat, changed.id, "after the edit")).toBe("changed");
    expect(await door.withdrawMessage(chat, withdrawn.id)).toBe("withdrawn");
    expect(await door.withdrawMessage(chat, withdrawn.id)).toBe("withdrawn");
    expect(await door.editMessage(chat, withdrawn.id, "again")).toBe("taken");
    expect(await door.editMessage(chat, first, "too late")).toBe("taken");
    expect(await door.withdrawMessage(chat, first)).toBe("taken");
    expect(await door.editMessage(chat, parseMessageId("nobody"), "x")).toBe("unknown");
    expect(await door.withdrawMessage(chat, parseMessageId("nobody"))).toBe("unknown");
    expect(await lab.status(chat, withdrawn.id)).toMatchObject({ status: "withdrawn", answers: [] });
    held.release();
    await lab.answerTo(chat, changed.id);
    expect(texts(chat).slice(1)).toEqual(["answer to editing", "edited answer"]);
    expect((await lab.send(chat, "never mind", { id: withdrawn.id })).status).toBe("duplicate");
  });

  test("a conversation in which too many wait refuses more, in words, and forgets that it saw them", async () => {
    const { chat, held } = await busyConversation("queue", "crowded");
    for (let index = 0; index < 25; index++) await lab.send(chat, `crowd ${index}`);
    const id = parseMessageId("one-too-many");
    await expect(lab.send(chat, "crowd 25", { id })).rejects.toMatchObject({ code: "conversation_full" });
    expect((await lab.send(chat, "/queue")).status).toBe("started");
    lab.model.when("crowd", ...Array.from({ length: 26 }, (_, index) => say(`c${index}`)));
    held.release();
    await lab.until(() => (texts(chat).includes("c24") ? true : undefined));
    await lab.answerTo(chat, (await lab.send(chat, "crowd 25", { id })).id);
    expect(texts(chat).at(-1)).toBe("c25");
  });
});

test("whoever looks at any moment sees what was there before, and every message moves in one direction only", async () => {
  const chat = lab.conversation();
  const { door } = lab.runtime();
  lab.model.when("watched", ...Array.from({ length: 24 }, () => say("seen")));
  const ids: MessageId[] = [];
  const stages = ["queued", "running", "answered"];
  const last = new Map<MessageId, number>();
  let transcript: readonly string[] = [];
  for (let index = 0; index < 24; index++) ids.push((await lab.send(chat, `watched ${index}`)).id);
  while (last.get(idAt(ids, 23)) !== 2) {
    const now = (await door.transcript(chat)).map(({ id }) => id);
    expect(now.slice(0, transcript.length)).toEqual(transcript);
    transcript = now;
    for (const id of ids) {
      const status = await lab.status(chat, id);
      const stage = stages.indexOf(status?.status ?? "");
      expect(stage).toBeGreaterThanOrEqual(last.get(id) ?? 0);
      expect(status?.answers.length).toBe(stage === 2 ? 1 : 0);
      last.set(id, stage);
    }
  }
});

test("a conversation that changes hands between two looks is not seen as empty", async () => {
  const chat = lab.conversation();
  const { lanes } = lab.runtime();
  /** Reads the conversation while `meanwhile` happens right after the first look at what the lane is doing. */
  const readWhile = (meanwhile: () => Promise<unknown>) => {
    let happened = false;
    const look: typeof lanes.look = async (lane) => {
      const state = await lanes.look(lane);
      if (!happened) {
        happened = true;
        await meanwhile();
      }
      return state;
    };
    return readConversation(chat, { lanes: { ...lanes, look } });
  };
  lab.model.when("settled", say("Yes."));
  await lab.answerTo(chat, (await lab.send(chat, "settled")).id);
  const held = hold(say("Now, too."));
  lab.model.when("unsettled", held.reply);
  const id = parseMessageId("changes-hands");
  const taken = await readWhile(async () => {
    await lab.send(chat, "unsettled", { id });
    await held.arrived;
  });
  expect(taken).toMatchObject({ runs: [{}, {}], state: { kind: "run" } });
  const over = await readWhile(async () => {
    held.release();
    await lab.answerTo(chat, id);
  });
  expect(over).toMatchObject({ runs: [{}, { ended: { end: "done" } }], state: { kind: "idle" } });
});

describe("collect", () => {
  test("all messages that wait are answered together, each of them once", async () => {
    const { chat, first, held } = await busyConversation("collect", "gathering");
    lab.model.when("third thing", say("all three"));
    const ids: MessageId[] = [];
    for (const text of ["first thing", "second thing", "third thing"]) ids.push((await lab.send(chat, text)).id);
    held.release();
    const said = await lab.answerTo(chat, idAt(ids, 2));
    expect(said).toMatchObject({ text: "all three", answers: ids });
    expect(
      lab.model
        .about("third thing")[0]
        ?.messages.slice(-3)
        .map(({ content }) => content),
    ).toEqual(["first thing", "second thing", "third thing"]);
    for (const id of [first, ...ids]) expect((await lab.status(chat, id))?.answers).toHaveLength(1);
  });

  test("/new among collected messages waits its turn", async () => {
    const { chat, held } = await busyConversation("collect", "collected work");
    lab.model.when("before new", say("before"));
    lab.model.when("after new", say("after"));
    await lab.send(chat, "before new");
    await lab.send(chat, "/new");
    const last = await lab.send(chat, "after new");
    held.release();
    await lab.answerTo(chat, last.id);
    expect(texts(chat).slice(1)).toEqual([
      "answer to collected work",
      "before",
      expect.stringMatching(/new conversation/),
      "after",
    ]);
    expect(lab.model.about("after new")[0]?.messages).toHaveLength(2);
  });
});

describe("steer", () => {
  test("a message joins the run that is going at its next step and both get its answer", async () => {
    const chat = lab.conversation();
    await lab.answerTo(chat, (await lab.send(chat, "/queue steer")).id);
    const held = hold(call({ name: "time_now" }));
    lab.model.when("steerable", held.reply);
    lab.model.when("in Cádiz please", say("One answer."));
    const first = await lab.send(chat, "steerable");
    await held.arrived;
    const second = await lab.send(chat, "in Cádiz please");
    expect(second.status).toBe("queued");
    held.release();
    expect(await lab.answerTo(chat, second.id)).toMatchObject({ text: "One answer.", answers: [first.id, second.id] });
    expect(lab.model.about("in Cádiz please")[0]?.messages.map(({ role }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "tool",
      "user",
    ]);
    for (const id of [first.id, second.id]) expect((await lab.status(chat, id))?.answers).toHaveLength(1);
  });

  test("a message that comes while the run waits for a busy model joins it before the next try", async () => {
    const chat = lab.conversation();
    await lab.answerTo(chat, (await lab.send(chat, "/queue steer")).id);
    lab.model.when("busy model", refuse(429, { error: { message: "slow down" } }, { "retry-after-ms": "300" }));
    lab.model.when("one more thing", say("Both at once."));
    const first = await lab.send(chat, "busy model");
    await lab.model.asked("busy model");
    const second = await lab.send(chat, "one more thing");
    expect(await lab.answerTo(chat, first.id)).toMatchObject({
      text: "Both at once.",
      answers: [first.id, second.id],
    });
  });

  test("a message that comes too late for the run gets one of its own", async () => {
    const { chat, first, held } = await busyConversation("steer", "nearly over");
    lab.model.when("too late", say("own answer"));
    const second = await lab.send(chat, "too late");
    held.release();
    expect(await lab.answerTo(chat, second.id)).toMatchObject({ text: "own answer", answers: [second.id] });
    expect(await lab.answerTo(chat, first)).toMatchObject({ text: "answer to nearly over", answers: [first] });
  });
});

describe("interrupt", () => {
  test("a new message stops the run, which is answered with what it had done, and is answered itself", async () => {
    const { chat, first, held } = await busyConversation("interrupt", "interruptible");
    lab.model.when("more important", say("important answer"));
    const second = await lab.send(chat, "more important");
    await held.aborted;
    expect(await lab.answerTo(chat, first)).toMatchObject({
      kind: "notice",
      text: "Interrupted by your next message. Nothing had been done yet.",
    });
    expect(await lab.answerTo(chat, second.id)).toMatchObject({ text: "important answer", answers: [second.id] });
    held.release();
    expect(texts(chat)).toHaveLength(3);
  });

  test("a message whose own run is going already interrupts nothing", async () => {
    const { chat, first, held } = await busyConversation("interrupt", "on its own");
    const { lanes, clock } = lab.runtime();
    const request = { conversation: chat, opening: "Interrupted.", inFavourOf: first };
    expect(await stopRun(request, { lanes, clock })).toBeUndefined();
    held.release();
    expect((await lab.answerTo(chat, first)).text).toBe("answer to on its own");
  });

  test("a volley of messages is answered one by one: each interrupts the one before, never itself", async () => {
    const { chat, first, held } = await busyConversation("interrupt", "volley start");
    lab.model.when("volley", ...Array.from({ length: 30 }, () => say("calm answer")));
    const sent = await Promise.all(Array.from({ length: 15 }, (_, index) => lab.send(chat, `volley ${index}`)));
    await Promise.all(sent.map(({ id }) => lab.answerTo(chat, id)));
    held.release();
    for (const id of [first, ...sent.map(({ id }) => id)]) {
      expect((await lab.status(chat, id))?.answers).toHaveLength(1);
      expect(lab.said(chat).filter(({ answers }) => answers.includes(id))).toHaveLength(1);
    }
    // The last in line has nobody behind it, so nobody can have interrupted it.
    const last = (await lab.runtime().door.transcript(chat)).findLast(({ role }) => role === "user");
    expect(lab.said(chat).find(({ answers }) => answers.includes(last?.id as MessageId))?.text).toBe("calm answer");
  });
});
