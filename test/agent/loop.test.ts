import { LLMock } from "@copilotkit/aimock";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { parseMessageId, parseRunId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { defineTool } from "../../src/tools/define.ts";
import { testRedis } from "../setup/redis.ts";
import { assemble } from "./assemble.ts";
import { openLab } from "./lab.ts";
import { call, hold, say } from "./model-server.ts";

// ---- tools whose calls the test holds and lets go ----

const lookups = new Map<string, { readonly begun: () => void; readonly go: Promise<void> }>();

/** A call of `look_up` or `write_down` with this key waits for `go`. */
function holdCall(key: string) {
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  lookups.set(key, { begun: () => begun.resolve(), go: go.promise });
  return { begun: begun.promise, go: () => go.resolve() };
}

async function heldCall({ key }: { key: string }): Promise<{ key: string }> {
  const held = lookups.get(key);
  held?.begun();
  await held?.go;
  return { key };
}

const input = z.object({ key: z.string() });
const lookUp = defineTool({ name: "look_up", description: "Looks.", effect: "read", input, run: heldCall });
const writeDown = defineTool({
  name: "write_down",
  description: "Writes.",
  effect: "idempotent",
  input,
  run: heldCall,
});

const lab = await openLab({
  database: await testRedis(),
  tools: [lookUp, writeDown],
  settings: "ai:\n  max_steps: 4\n  history_messages: 20\n",
});
afterAll(() => lab.close());

test("a message is answered and its fate is known", async () => {
  const chat = lab.conversation();
  lab.model.when("hello", say("Hi there."));
  const { id, status } = await lab.send(chat, "hello");
  expect(status).toBe("started");
  expect(await lab.answerTo(chat, id)).toMatchObject({ kind: "answer", text: "Hi there.", answers: [id] });
  expect(await lab.status(chat, id)).toMatchObject({ status: "answered", steps: 1, answers: [{ text: "Hi there." }] });
  const [asked] = lab.model.about("hello");
  expect(asked?.headers).toMatchObject({ "x-parley-purpose": "chat", "x-parley-run": expect.stringMatching(/./) });
  expect(asked?.messages.map(({ role, content }) => [role, content])).toEqual([
    ["system", expect.stringContaining("You are a bot under test.")],
    ["user", "hello"],
  ]);
});

test("tool results go back to the model, each right behind its call, until it answers", async () => {
  const chat = lab.conversation();
  lab.model.when(
    "two rounds",
    call({ name: "calculate", args: { expression: "6*7" }, id: "a" }),
    call({ name: "look_up", args: { key: "k" }, id: "b" }),
    say("All done."),
  );
  const { id } = await lab.send(chat, "two rounds");
  expect((await lab.answerTo(chat, id)).text).toBe("All done.");
  const [, second, third] = lab.model.about("two rounds");
  expect(second?.messages.slice(2)).toMatchObject([
    { role: "assistant", tool_calls: [{ id: "a", function: { name: "calculate" } }] },
    { role: "tool", tool_call_id: "a", content: expect.stringContaining("42") },
  ]);
  expect(third?.messages.slice(4)).toMatchObject([
    { role: "assistant", tool_calls: [{ id: "b", function: { name: "look_up" } }] },
    { role: "tool", tool_call_id: "b", content: '{"key":"k"}' },
  ]);
  const runId = (await lab.status(chat, id))?.runId;
  expect(runId && (await lab.runtime().door.run(runId))).toMatchObject({
    status: "done",
    inputTokens: 30,
    outputTokens: 15,
    steps: [
      { name: "ai_call_1", what: "model" },
      { name: "tool_1_1", what: "calculate", status: "done" },
      { name: "ai_call_2", what: "model" },
      { name: "tool_2_1", what: "look_up", status: "done" },
      { name: "ai_call_3", what: "model" },
    ],
  });
});

test("calls that only read run at the same time, in spite of their order", async () => {
  const chat = lab.conversation();
  const [one, two] = [holdCall("r1"), holdCall("r2")];
  lab.model.when(
    "read twice",
    call({ name: "look_up", args: { key: "r1" } }, { name: "look_up", args: { key: "r2" } }),
    say("ok"),
  );
  const { id } = await lab.send(chat, "read twice");
  await Promise.all([one.begun, two.begun]);
  two.go();
  one.go();
  await lab.answerTo(chat, id);
  const results = lab.model.about("read twice")[1]?.messages.filter(({ role }) => role === "tool");
  expect(results?.map(({ content }) => content)).toEqual(['{"key":"r1"}', '{"key":"r2"}']);
});

test("calls that change something wait for those before them", async () => {
  const chat = lab.conversation();
  const order: string[] = [];
  const [one, two, three] = [holdCall("w1"), holdCall("w2"), holdCall("w3")];
  void one.begun.then(() => order.push("w1"));
  void two.begun.then(() => order.push("w2"));
  void three.begun.then(() => order.push("w3"));
  lab.model.when(
    "write thrice",
    call(
      { name: "write_down", args: { key: "w1" } },
      { name: "write_down", args: { key: "w2" } },
      { name: "look_up", args: { key: "w3" } },
    ),
    say("ok"),
  );
  const { id } = await lab.send(chat, "write thrice");
  await one.begun;
  // A round trip through the same worker, in which the second call would have begun.
  lab.model.when("meanwhile", say("yes"));
  const aside = lab.conversation();
  await lab.answerTo(aside, (await lab.send(aside, "meanwhile")).id);
  expect(order).toEqual(["w1"]);
  one.go();
  await two.begun;
  expect(order).toEqual(["w1", "w2"]);
  two.go();
  await three.begun;
  three.go();
  await lab.answerTo(chat, id);
});

test("a run that finds no end is stopped at the limit of steps, with a clear word", async () => {
  const chat = lab.conversation();
  const again = call({ name: "look_up", args: { key: "again" } });
  lab.model.when("for ever", again, again, again, again, say("never asked for"));
  const { id } = await lab.send(chat, "for ever");
  const said = await lab.answerTo(chat, id);
  expect(said).toMatchObject({ kind: "error", text: expect.stringMatching(/stopped after 4 steps.*\(error \w+/) });
  expect(await lab.status(chat, id)).toMatchObject({ status: "failed", steps: 8, error: { code: "step_limit" } });
  expect(lab.model.about("for ever")).toHaveLength(4);
  lab.model.when("and now", say("Fine again."));
  expect((await lab.answerTo(chat, (await lab.send(chat, "and now")).id)).text).toBe("Fine again.");
});

test("the model reads the newest part of the history and the current message, within the limit", async () => {
  const chat = lab.conversation();
  lab.model.when("count", ...Array.from({ length: 15 }, (_, index) => say(`answer ${index}`)));
  for (let index = 0; index < 15; index++) await lab.answerTo(chat, (await lab.send(chat, `count ${index}`)).id);
  const last = lab.model
    .about("count")
    .at(-1)
    ?.messages.slice(1)
    .map(({ content }) => content);
  expect(last).toHaveLength(19);
  expect(last?.[0]).toBe("count 5");
  expect(last?.slice(-3)).toEqual(["count 13", "answer 13", "count 14"]);
});

test("conversations do not know of each other and do not wait for each other", async () => {
  const [slow, quick] = [lab.conversation(), lab.conversation()];
  const held = hold(say("slow answer"));
  lab.model.when("slow one", held.reply);
  lab.model.when("quick one", say("quick answer"));
  const first = await lab.send(slow, "slow one");
  await held.arrived;
  const second = await lab.send(quick, "quick one");
  expect((await lab.answerTo(quick, second.id)).text).toBe("quick answer");
  expect(lab.said(slow)).toEqual([]);
  held.release();
  expect((await lab.answerTo(slow, first.id)).text).toBe("slow answer");
  expect(JSON.stringify(lab.model.about("quick one")[0]?.messages)).not.toContain("slow");
});

test("in a group the model reads who said what, and what a person asked to be remembered stays out", async () => {
  const chat = lab.conversation();
  const [ana, li] = [parseWorkspaceId("ana"), parseWorkspaceId("li")];
  await lab.runtime().memory.set(ana, { key: "salary", value: "a lot", at: 1 });
  lab.model.when("lunch", say("At noon."));
  lab.model.when("where", say("Here."));
  await lab.answerTo(chat, (await lab.send(chat, "lunch?", { workspaceId: ana, authorName: "Ana" })).id);
  await lab.answerTo(chat, (await lab.send(chat, "where?", { workspaceId: li, authorName: "李雷" })).id);
  expect(lab.model.about("where")[0]?.messages.slice(1)).toMatchObject([
    { role: "user", content: "lunch?", name: "Ana" },
    { role: "assistant", content: "At noon." },
    { role: "user", content: "李雷: where?" },
  ]);
  expect(lab.model.about("lunch")[0]?.raw).not.toContain("salary");
  const alone = lab.conversation();
  lab.model.when("what do I earn", say("A lot."));
  await lab.answerTo(alone, (await lab.send(alone, "what do I earn", { workspaceId: ana })).id);
  expect(lab.model.about("what do I earn")[0]?.messages[0]?.content).toContain("salary: a lot");
});

test("two people in one conversation without names are a group, too", async () => {
  const chat = lab.conversation();
  const bob = parseWorkspaceId("bob");
  await lab.runtime().memory.set(bob, { key: "diary", value: "private", at: 1 });
  lab.model.when("from one", say("1"));
  lab.model.when("from bob", say("2"));
  await lab.answerTo(chat, (await lab.send(chat, "from one")).id);
  await lab.answerTo(chat, (await lab.send(chat, "from bob", { workspaceId: bob })).id);
  expect(lab.model.about("from bob")[0]?.raw).not.toContain("diary");
});

test("a secret is never shown to the model nor in /debug or /memory, whatever reads the memory", async () => {
  const chat = lab.conversation();
  const eve = parseWorkspaceId("eve");
  await lab.runtime().memory.set(eve, { key: "pin", value: "hunter2", secret: true, at: 1 });
  await lab.runtime().memory.set(eve, { key: "town", value: "Cádiz", at: 1 });
  lab.model.when(
    "my pin",
    call(
      { name: "memory_get", args: { key: "pin" } },
      { name: "memory_list", args: {} },
      { name: "memory_search", args: { query: "pin" } },
    ),
    say("I may not see it."),
  );
  const from = { workspaceId: eve };
  await lab.answerTo(chat, (await lab.send(chat, "my pin", from)).id);
  for (const command of ["/debug", "/memory", "/status", "/tools", "/where", "/help"])
    await lab.answerTo(chat, (await lab.send(chat, command, from)).id);
  expect(JSON.stringify(lab.said(chat))).not.toContain("hunter2");
  const asked = lab.model.requests.map(({ raw }) => raw).join("\n");
  expect(asked.includes("hunter2")).toBe(false);
  expect(asked).toContain("- town: Cádiz");
  expect(asked).toContain("- pin: (secret, not shown)");
});

test("conversations are listed newest first, for everyone and for one person, and each can be looked at", async () => {
  const { door } = lab.runtime();
  const workspaceId = parseWorkspaceId("lister");
  const [one, two] = [lab.conversation(), lab.conversation()];
  lab.model.when("list me", say("1"), say("2"));
  const later = Date.now() + 60_000;
  await lab.answerTo(one, (await lab.send(one, "list me", { workspaceId, at: later })).id);
  await lab.answerTo(two, (await lab.send(two, "list me", { workspaceId, at: later + 1 })).id);
  expect((await door.conversations({ workspaceId, limit: 10 })).map(({ id }) => id)).toEqual([two, one]);
  expect((await door.conversations({ limit: 1 })).map(({ id }) => id)).toEqual([two]);
  expect((await door.conversations({ limit: 1, before: later + 1 })).map(({ id }) => id)).toEqual([one]);
  expect(await door.conversation(one)).toEqual({
    id: one,
    platform: "api",
    owner: workspaceId,
    lastActivityAt: later,
    state: "idle",
    runId: undefined,
    queueMode: "queue",
    waiting: [],
  });
  expect(await door.conversation(lab.conversation())).toBeUndefined();
  expect(await door.transcript(lab.conversation())).toEqual([]);
  expect(await door.run(parseRunId("no-such-run"))).toBeUndefined();
  expect(await door.messageStatus(one, parseMessageId("no-such-message"))).toBeUndefined();
});

test("files that came with a message are named to the model with what became of them", async () => {
  const chat = lab.conversation();
  lab.model.when("see the file", say("I see."));
  const attachments = [{ name: "plan.pdf", mimeType: "application/pdf", bytes: 9, state: "unsupported" as const }];
  await lab.answerTo(chat, (await lab.send(chat, "see the file", { attachments })).id);
  expect(lab.model.about("see the file")[0]?.messages[1]?.content).toBe(
    'see the file\n[attachment "plan.pdf" (application/pdf): unsupported type]',
  );
});

test("an answer that the model could not finish says so", async () => {
  const chat = lab.conversation();
  lab.model.when("a novel", say("It was a dark and", "length"));
  const { id } = await lab.send(chat, "a novel");
  expect((await lab.answerTo(chat, id)).text).toMatch(/^It was a dark and\n\n.*not complete/);
});

test("the words of an answer are shown while they come, and live events never miss the delivery", async () => {
  const chat = lab.conversation();
  lab.model.when("stream to me", say("word by word"));
  const { id } = await lab.send(chat, "stream to me");
  await lab.answerTo(chat, id);
  const events = await lab.until(() => {
    const seen = lab.events(chat);
    return seen.some((event) => event.type === "run.ended") ? seen : undefined;
  });
  expect(new Set(events.map((event) => event.type))).toEqual(
    new Set(["message.received", "run.started", "run.progress", "text.delta", "run.ended", "delivery"]),
  );
});

test("a model server written by others is understood from the first word to the tool's result", async () => {
  const mock = new LLMock({ host: "127.0.0.1", port: 0 });
  await mock.start();
  const database = await testRedis();
  const other = await openLab({ database, idle: true });
  const runtime = await assemble({ database, redis: other.redis, modelUrl: `${mock.url}/v1`, log: silentLog });
  mock.onToolResult("call_x", { content: "It is 42." });
  mock.onMessage("what is 6 times 7", {
    toolCalls: [{ name: "calculate", arguments: '{"expression":"6*7"}', id: "call_x" }],
  });
  await runtime.worker.start();
  const chat = other.conversation();
  const { id } = await other.send(chat, "what is 6 times 7");
  expect((await other.answerTo(chat, id)).text).toBe("It is 42.");
  await runtime.worker.drain(0);
  await other.close();
  await mock.stop();
});
