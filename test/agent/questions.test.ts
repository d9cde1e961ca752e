import { afterAll, describe, expect, test } from "vitest";
import { chatLane } from "../../src/agent/lanes-of.ts";
import { parseMessageId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, hold, say } from "./model-server.ts";

const lab = await openLab({ database: await testRedis() });
afterAll(() => lab.close());

const askUser = (question: string, choices?: readonly string[]) => ({
  name: "ask_user",
  args: { question, ...(choices === undefined ? {} : { choices }) },
});

describe("a question of the model", () => {
  test("waits through a restart, and the next message is its answer, not a message of its own", async () => {
    const chat = lab.conversation();
    lab.model.when("book a table", call(askUser("For how many?", ["2", "4"])), say("Booked for four."));
    const first = await lab.send(chat, "book a table");
    const question = await lab.delivery(chat, "question");
    expect(question).toMatchObject({ text: "For how many?", choices: ["2", "4"], answers: [] });
    expect(await lab.status(chat, first.id)).toMatchObject({ status: "waiting", answers: [] });
    expect(lab.runtime().worker.active()).toBe(0);
    await lab.runtime().worker.drain(0);
    // Beside the conversation: it does not wait for a person, only for a worker.
    const command = await lab.send(chat, "/status");
    expect(await lab.status(chat, command.id)).toMatchObject({ status: "running" });
    await lab.restart();
    expect((await lab.answerTo(chat, command.id)).text).toMatch(/^I am waiting: 2 steps so far/);
    expect(await lab.status(chat, first.id)).toMatchObject({ status: "waiting" });
    const second = await lab.send(chat, "four, please");
    const said = await lab.answerTo(chat, first.id);
    expect(said).toMatchObject({ text: "Booked for four.", answers: [first.id, second.id] });
    expect(lab.model.requests.at(-1)?.messages.slice(2)).toMatchObject([
      { role: "assistant", tool_calls: [{ function: { name: "ask_user" } }] },
      { role: "tool", content: "four, please" },
    ]);
    expect(await lab.runtime().door.transcript(chat)).toMatchObject([
      { role: "user", text: "book a table" },
      { role: "assistant", text: "For how many?", id: question.id },
      { role: "user", text: "four, please" },
      { role: "assistant", text: "Booked for four.", id: said.id },
    ]);
  });

  test("several at once are put one after the other, each with its own answer", async () => {
    const chat = lab.conversation();
    lab.model.when("two things", call(askUser("Where?"), askUser("When?")), say("Noted."));
    const first = await lab.send(chat, "two things");
    expect((await lab.delivery(chat, "question")).text).toBe("Where?");
    const here = await lab.send(chat, "here");
    expect((await lab.delivery(chat, "question", 2)).text).toBe("When?");
    const attachments = [{ name: "map.png", mimeType: "image/png", bytes: 1, state: "failed" as const }];
    const now = await lab.send(chat, "now", { attachments });
    expect(await lab.answerTo(chat, now.id)).toMatchObject({ answers: [first.id, here.id, now.id] });
    expect(lab.model.requests.at(-1)?.messages.slice(3)).toMatchObject([
      { role: "tool", content: "here" },
      { role: "tool", content: 'now\n[attachment "map.png" (image/png): could not be read]' },
    ]);
  });

  test("a message that waited before the question was asked is not its answer", async () => {
    const chat = lab.conversation();
    const held = hold(call(askUser("Sure?")));
    lab.model.when("delete all", held.reply, say("Deleted."));
    lab.model.when("unrelated", say("Unrelated answer."));
    const first = await lab.send(chat, "delete all");
    await held.arrived;
    const waiting = await lab.send(chat, "unrelated");
    held.release();
    await lab.delivery(chat, "question");
    expect(await lab.status(chat, waiting.id)).toMatchObject({ status: "queued" });
    const yes = await lab.send(chat, "yes");
    expect((await lab.answerTo(chat, yes.id)).answers).toEqual([first.id, yes.id]);
    expect((await lab.answerTo(chat, waiting.id)).text).toBe("Unrelated answer.");
  });

  test("/new drops it, and a second delivery of that /new does not drop a later one", async () => {
    const chat = lab.conversation();
    lab.model.when("ask me", call(askUser("What?")));
    lab.model.when("ask again", call(askUser("And now what?")), say("Thanks."));
    const first = await lab.send(chat, "ask me");
    await lab.delivery(chat, "question");
    const fresh = await lab.send(chat, "/new");
    expect((await lab.answerTo(chat, first.id)).text).toBe("I dropped my question. Nothing had been done yet.");
    expect((await lab.answerTo(chat, fresh.id)).text).toMatch(/^This is a new conversation/);
    const later = await lab.send(chat, "ask again");
    await lab.delivery(chat, "question", 2);
    expect((await lab.send(chat, "/new", { id: fresh.id })).status).toBe("duplicate");
    expect(await lab.status(chat, later.id)).toMatchObject({ status: "waiting" });
    const reply = await lab.send(chat, "nothing");
    expect((await lab.answerTo(chat, reply.id)).text).toBe("Thanks.");
  });

  test("/new that slipped in as its answer is still the command", async () => {
    const chat = lab.conversation();
    lab.model.when("ask in a hurry", call(askUser("Quick?")));
    const first = await lab.send(chat, "ask in a hurry");
    await lab.delivery(chat, "question");
    // Past the door, as when the question was asked between the door's look and its putting the message in.
    const id = parseMessageId("slipped");
    const message = { id, conversationId: chat, workspaceId: parseWorkspaceId("user-1"), text: "/new", at: Date.now() };
    const body = JSON.stringify(message);
    expect((await lab.runtime().lanes.admit(chatLane(chat), { id, mode: "alone", body })).status).toBe("joined");
    expect(await lab.answerTo(chat, id)).toMatchObject({
      text: expect.stringMatching(/^This is a new/),
      answers: [first.id, id],
    });
  });

  test("/stop ends it and does not call it something that was done", async () => {
    const chat = lab.conversation();
    lab.model.when("ask and stop", call(askUser("Really?")));
    const first = await lab.send(chat, "ask and stop");
    await lab.delivery(chat, "question");
    await lab.send(chat, "/stop");
    expect((await lab.answerTo(chat, first.id)).text).toBe("Stopped. Nothing had been done yet.");
    lab.model.when("moving on", say("On we go."));
    expect((await lab.answerTo(chat, (await lab.send(chat, "moving on")).id)).text).toBe("On we go.");
  });
});

describe("/new and /reset", () => {
  test("memory survives /new, history does not", async () => {
    const chat = lab.conversation();
    const from = { workspaceId: parseWorkspaceId("rita") };
    lab.model.when("I like tea", call({ name: "memory_set", args: { key: "drink", value: "tea" } }), say("Noted."));
    await lab.answerTo(chat, (await lab.send(chat, "I like tea", from)).id);
    await lab.answerTo(chat, (await lab.send(chat, "/new", from)).id);
    expect(await lab.runtime().door.transcript(chat)).toEqual([]);
    lab.model.when("what do I drink", say("Tea."));
    await lab.answerTo(chat, (await lab.send(chat, "what do I drink", from)).id);
    const { messages } = lab.model.request("what do I drink");
    expect(messages).toHaveLength(2);
    expect(messages[0]?.content).toContain("- drink: tea");
  });

  test.each([
    { answer: "Keep my memory", says: /I kept what I remember/, kept: false, memory: 2 },
    { answer: "Forget my memory too", says: /I forgot the 2 things I remembered/, kept: false, memory: 0 },
    { answer: "Cancel", says: /^Nothing was changed\.$/, kept: true, memory: 2 },
    { answer: "what is this about?", says: /^Nothing was changed\.$/, kept: true, memory: 2 },
  ])("/reset answered with '$answer' leaves $memory memories", async ({ answer, says, kept, memory }) => {
    const chat = lab.conversation();
    const workspaceId = parseWorkspaceId(`reset-${answer.length}`);
    await lab.runtime().memory.set(workspaceId, { key: "a", value: "1", at: 1 });
    await lab.runtime().memory.set(workspaceId, { key: "b", value: "2", at: 1 });
    lab.model.when("small talk", say("Indeed."));
    await lab.answerTo(chat, (await lab.send(chat, "small talk", { workspaceId })).id);
    const reset = await lab.send(chat, "/reset", { workspaceId });
    expect((await lab.delivery(chat, "question")).choices).toEqual([
      "Keep my memory",
      "Forget my memory too",
      "Cancel",
    ]);
    const reply = await lab.send(chat, answer, { workspaceId });
    expect(await lab.answerTo(chat, reset.id)).toMatchObject({
      text: expect.stringMatching(says),
      answers: [reset.id, reply.id],
    });
    expect((await lab.runtime().memory.list(workspaceId)).entries).toHaveLength(memory);
    expect(await lab.runtime().door.transcript(chat)).toHaveLength(kept ? 6 : 0);
    lab.model.when("afterwards", say("Yes."));
    await lab.answerTo(chat, (await lab.send(chat, "afterwards", { workspaceId })).id);
    // The command itself is never shown to the model.
    expect(
      lab.model
        .about("afterwards")
        .at(-1)
        ?.messages.slice(1)
        .map(({ content }) => content),
    ).toEqual(kept ? ["small talk", "Indeed.", "afterwards"] : ["afterwards"]);
  });

  test("in a group nobody decides about the memory of another person", async () => {
    const chat = lab.conversation();
    const [ana, bob] = [parseWorkspaceId("ana-g"), parseWorkspaceId("bob-g")];
    await lab.runtime().memory.set(ana, { key: "a", value: "1", at: 1 });
    const reset = await lab.send(chat, "/reset", { workspaceId: ana, authorName: "Ana" });
    await lab.delivery(chat, "question");
    await lab.send(chat, "Forget my memory too", { workspaceId: bob, authorName: "Bob" });
    expect((await lab.answerTo(chat, reset.id)).text).toBe("Nothing was changed.");
    expect((await lab.runtime().memory.list(ana)).entries).toHaveLength(1);
  });

  test("/new during the question of /reset drops the question and starts anew", async () => {
    const chat = lab.conversation();
    const reset = await lab.send(chat, "/reset");
    await lab.delivery(chat, "question");
    const fresh = await lab.send(chat, "/new");
    expect((await lab.answerTo(chat, fresh.id)).text).toMatch(/^This is a new conversation/);
    expect((await lab.answerTo(chat, reset.id)).text).toMatch(/^I dropped my question/);
  });

  test("the API's reset waits for the run that is going", async () => {
    const chat = lab.conversation();
    const held = hold(say("Done before the reset."));
    lab.model.when("keep working", held.reply);
    const first = await lab.send(chat, "keep working");
    await held.arrived;
    await lab.runtime().door.reset(chat);
    held.release();
    expect((await lab.answerTo(chat, first.id)).text).toBe("Done before the reset.");
    await lab.delivery(chat, "notice");
    expect(await lab.runtime().door.transcript(chat)).toEqual([]);
  });
});
