import { afterAll, expect, test } from "vitest";
import { chatLane } from "../../src/agent/lanes-of.ts";
import type { ConversationId } from "../../src/kernel/ids.ts";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import { z } from "zod";
import { startCompactor } from "../../src/engine/compactor.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { defineTool } from "../../src/tools/define.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, cut, hold, refuse, say, type Asked } from "./model-server.ts";

const tool = (name: string, effect: "read" | "once") =>
  defineTool({ name, description: "Does.", effect, input: z.looseObject({}), run: () => "ok" });
const lab = await openLab({
  database: await testRedis(),
  tools: [tool("page", "read"), tool("mail", "once")],
  settings: "ai:\n  history_messages: 10\n  history_tokens: 2000\ncontext:\n  summary_tokens: 60\n",
});
afterAll(() => lab.close());

/** Says `count` things, one after the other, and waits for each answer. */
async function talk(chat: ConversationId, word: string, count: number, first = 1): Promise<void> {
  for (let number = first; number < first + count; number++) {
    lab.model.when(word, say(`${word} answer ${number}`));
    await lab.answerTo(chat, (await lab.send(chat, `${word} ${number}`)).id);
  }
}

const systemOf = (asked: Asked | undefined) => asked?.messages[0]?.content ?? "";
const lastAbout = (word: string) => lab.model.about(word).at(-1);
const summariesOf = (word: string) =>
  lab.model.summaries.filter(({ messages }) => messages[1]?.content?.includes(word) === true);

test("what no longer fits goes on in a summary, which grows with the conversation and is read with the newest messages", async () => {
  const chat = lab.conversation();
  lab.model.onSummary(say("They counted red numbers."));
  // The fifth run finds more than eight messages before it.
  await talk(chat, "red", 5);
  expect(summariesOf("red")).toEqual([]);
  await talk(chat, "red", 1, 6);
  const [first] = summariesOf("red");
  expect(first?.headers).toMatchObject({ "x-parley-purpose": "summary", "x-parley-run": expect.stringMatching(/./) });
  expect(first?.messages[1]?.content).toContain("Person: red 1\nAssistant: red answer 1\nPerson: red 2");
  expect(first?.messages[1]?.content).not.toContain("red 5");
  expect(JSON.parse(first?.raw ?? "")).not.toHaveProperty("tools");
  expect(systemOf(lastAbout("red"))).not.toContain("Summary");
  await talk(chat, "red", 1, 7);
  expect(systemOf(lastAbout("red"))).toContain("Summary of the earlier part of this conversation. It is information");
  expect(systemOf(lastAbout("red"))).toContain("\nThey counted red numbers.");
  expect(lastAbout("red")?.messages.at(-3)?.content).toBe("red 6");

  // The next one begins with this one and is told only what is new.
  await talk(chat, "red", 4, 8);
  const [, second] = summariesOf("red");
  expect(second?.messages[1]?.content).toMatch(/^Summary so far:\nThey counted red numbers\.\n\n/);
  expect(second?.messages[1]?.content).not.toContain("red 1\n");
  expect(second?.messages[1]?.content).toContain("since then:\n\nPerson: red 4\n");

  // The originals are all there.
  const said = await lab.runtime().door.transcript(chat);
  expect(said.filter(({ role }) => role === "user").map(({ text }) => text)).toEqual(
    Array.from({ length: 11 }, (_, index) => `red ${index + 1}`),
  );
});

test("what it retells of a page is still text from outside: a call that sends is asked about", async () => {
  const chat = lab.conversation();
  lab.model.onSummary(say("They read a page about green."));
  lab.model.when("green page", call({ name: "page" }), say("Read."));
  await lab.answerTo(chat, (await lab.send(chat, "green page")).id);
  await talk(chat, "green", 12);
  expect(systemOf(lastAbout("green"))).toContain("They read a page about green.");
  expect(lastAbout("green")?.messages.some(({ role }) => role === "tool")).toBe(false);
  lab.model.when("mail the greens", call({ name: "mail" }), say("Sent."));
  await lab.send(chat, "mail the greens");
  expect((await lab.delivery(chat, "approval")).approval?.reason).toContain("text from outside (page)");
});

test("the summary outlives a restart and the archive", async () => {
  const chat = lab.conversation();
  lab.model.onSummary(say("They counted in blue."));
  await talk(chat, "blue", 6);
  await lab.restart();
  const compactor = startCompactor({
    lanes: lab.runtime().lanes,
    clock: lab.runtime().clock,
    log: silentLog,
    limits: { idleMs: -1000, minLines: 2, restMs: 86_400_000, keepLines: 1000 },
  });
  expect(await compactor.sweep()).toBeGreaterThan(0);
  compactor.stop();
  await talk(chat, "blue", 1, 7);
  expect(systemOf(lastAbout("blue"))).toContain("They counted in blue.");
});

test("/new drops the summary with the rest", async () => {
  const chat = lab.conversation();
  lab.model.onSummary(say("They counted in green."));
  await talk(chat, "green", 7);
  expect(systemOf(lastAbout("green"))).toContain("They counted in green.");
  await lab.answerTo(chat, (await lab.send(chat, "/new")).id);
  await talk(chat, "green", 1, 8);
  expect(lastAbout("green")?.raw).not.toContain("counted");
});

test.each([
  { given: "refused", reply: refuse(400, { error: { message: "no" } }), problem: "bad-request" },
  { given: "overloaded", reply: refuse(503, { error: { message: "later" } }), problem: "overloaded" },
  { given: "cut", reply: cut("They coun"), problem: "cut-short" },
  { given: "empty", reply: say(""), problem: "empty-answer" },
  {
    given: "no smaller than what it replaces",
    reply: say("They counted, and counted, and counted some more. ".repeat(20)),
    problem: "it was not smaller than what it should replace",
  },
])("a summary that is $given is dropped, and is not tried again at once", async ({ given, reply, problem }) => {
  const chat = lab.conversation();
  const word = `odd-${given.split(" ")[0]}`;
  lab.model.onSummary(reply);
  await talk(chat, word, 9);
  expect(summariesOf(word)).toHaveLength(1);
  expect(lab.said(chat).map(({ kind }) => kind)).toEqual(Array.from({ length: 9 }, () => "answer"));
  expect(systemOf(lastAbout(word))).not.toContain("Summary");
  expect(JSON.stringify(await journalOf(chat))).toContain(problem);
  // Some runs later it is tried again; what was left out meanwhile is told as far as it is in sight.
  lab.model.onSummary(say("At last."));
  await talk(chat, word, 3, 10);
  expect(summariesOf(word)).toHaveLength(2);
  expect(systemOf(lastAbout(word))).toContain("At last.");
});

test("a stop does not wait for a summary, and nothing of it is kept", async () => {
  const chat = lab.conversation();
  lab.model.onSummary(say("unused"));
  await talk(chat, "grey", 5);
  const summary = hold(say("They counted in grey."));
  const answer = hold(say("late"));
  lab.model.onSummary(summary.reply);
  lab.model.when("grey", answer.reply);
  const { id } = await lab.send(chat, "grey 6");
  await Promise.all([summary.arrived, answer.arrived]);
  const stop = await lab.send(chat, "/stop");
  expect((await lab.answerTo(chat, stop.id)).text).toMatch(/^Stopped/);
  await Promise.all([summary.aborted, answer.aborted]);
  expect(lab.said(chat).filter(({ answers }) => answers.includes(id))).toHaveLength(1);
  summary.release();
  answer.release();
  lab.model.onSummary(say("A new one."));
  await talk(chat, "grey", 2, 7);
  expect(systemOf(lastAbout("grey"))).toContain("A new one.");
});

test("the tokens of a summary are counted with its run, and the run shows the step", async () => {
  const chat = lab.conversation();
  lab.model.onSummary(say("Short."));
  await talk(chat, "count", 5);
  lab.model.when("count", say("six"));
  const { id } = await lab.send(chat, "count 6");
  await lab.answerTo(chat, id);
  const runId = (await lab.status(chat, id))?.runId;
  const run = runId && (await lab.runtime().door.run(runId));
  expect(run).toMatchObject({ inputTokens: 20, outputTokens: 10 });
  expect(run && run.steps.map(({ name, what }) => `${name} ${what}`).toSorted()).toEqual([
    "ai_call_1 model",
    "summary model",
  ]);
});

test("remembered secrets never get into a summary, neither by what was said nor by what the model writes", async () => {
  const chat = lab.conversation();
  const from = { workspaceId: parseWorkspaceId("sam") };
  await lab.runtime().memory.set(from.workspaceId, { key: "pin", value: "hunter2", secret: true, at: 1 });
  lab.model.onSummary(say("The pin is hunter2."));
  lab.model.when(
    "secretive",
    call({ name: "memory_set", args: { key: "pin", value: "hunter2", secret: true } }),
    ...Array.from({ length: 9 }, () => say("Noted, hunter2.")),
  );
  for (let number = 1; number <= 7; number++)
    await lab.answerTo(chat, (await lab.send(chat, `secretive hunter2 ${number}`, from)).id);
  const asked = summariesOf("secretive");
  expect(asked).toHaveLength(1);
  expect(asked[0]?.raw).toContain("secretive (secret) 1");
  expect(asked[0]?.raw).not.toContain("hunter2");
  expect(systemOf(lastAbout("secretive"))).toContain("The pin is (secret).");
});

async function journalOf(chat: ConversationId): Promise<unknown> {
  return lab.runtime().lanes.readJournal(chatLane(chat));
}
