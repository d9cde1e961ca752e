import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseRunId } from "../../kernel/ids.ts";
import { silentLog, systemClock } from "../../kernel/ports.ts";
import { createModelClient } from "../client.ts";
import type { ChatMessage, ModelClient, ModelReply, ToolCall, ToolSpec } from "../contract.ts";
import { DEMO_LABEL } from "./decide.ts";
import { startDemoModel, type DemoModel } from "./server.ts";

let demo: DemoModel;
let client: ModelClient;

beforeEach(async () => {
  demo = await startDemoModel({ wordDelayMs: 0, log: silentLog });
  client = createModelClient({
    url: demo.url,
    model: "parley-demo",
    timeoutMs: 10_000,
    log: silentLog,
    clock: systemClock,
  });
});

afterEach(() => demo.stop());

const ALL_TOOLS = [
  "memory_set",
  "memory_get",
  "memory_list",
  "memory_delete",
  "memory_search",
  "time_now",
  "calculate",
  "web_fetch",
  "ask_user",
  "schedule_add",
];
const specs = (names: readonly string[]): ToolSpec[] =>
  names.map((name) => ({ name, description: name, parameters: { type: "object", properties: {} } }));

type RunTool = (name: string, args: Record<string, unknown>) => unknown;

interface Outcome {
  readonly text: string;
  /** The calls of each turn, as `name {args}`. */
  readonly turns: readonly (readonly string[])[];
  readonly transcript: readonly ChatMessage[];
}

/** What an agent does: ask, run the tools, ask again, until there is an answer. */
async function talk(
  texts: string | readonly string[],
  runTool: RunTool = () => "done",
  options: { tools?: readonly string[]; history?: readonly ChatMessage[] } = {},
): Promise<Outcome> {
  const transcript: ChatMessage[] = [
    { role: "system", content: "You are a helpful bot." },
    ...(options.history ?? []),
    ...[texts].flat().map((content): ChatMessage => ({ role: "user", content })),
  ];
  const turns: string[][] = [];
  for (let turn = 0; turn < 60; turn += 1) {
    const reply = await askDemo(transcript, specs(options.tools ?? ALL_TOOLS));
    transcript.push({ role: "assistant", content: reply.text, toolCalls: reply.toolCalls });
    if (reply.toolCalls.length === 0) return { text: withoutLabel(reply.text), turns, transcript };
    turns.push(reply.toolCalls.map((call) => `${call.name} ${call.args}`));
    for (const call of reply.toolCalls) transcript.push(resultOf(call, runTool));
  }
  throw new Error("the demo model did not come to an end");
}

function askDemo(messages: readonly ChatMessage[], tools: readonly ToolSpec[]): Promise<ModelReply> {
  const { signal } = new AbortController();
  return client.ask({ runId: parseRunId("run-1"), purpose: "chat", messages, tools, signal });
}

function resultOf(call: ToolCall, runTool: RunTool): ChatMessage {
  const value = runTool(call.name, JSON.parse(call.args) as Record<string, unknown>);
  return { role: "tool", callId: call.id, content: typeof value === "string" ? value : JSON.stringify(value) };
}

function withoutLabel(text: string): string {
  expect(text.endsWith(`\n\n${DEMO_LABEL}`)).toBe(true);
  return text.slice(0, -DEMO_LABEL.length).trim();
}

describe("calling tools", () => {
  const cases: readonly { says: string; result?: unknown; calls: string; answer: string | RegExp }[] = [
    {
      says: "remember that my favourite colour is blue",
      result: { key: "favourite_colour", stored: true },
      calls: 'memory_set {"key":"favourite_colour","value":"blue"}',
      answer: "I will remember that favourite colour is blue.",
    },
    {
      says: "Please remember my dog's name is Rex.",
      result: {},
      calls: 'memory_set {"key":"dog_s_name","value":"Rex"}',
      answer: /dog s name is Rex/,
    },
    {
      says: "My name is Ana!",
      result: {},
      calls: 'memory_set {"key":"name","value":"Ana"}',
      answer: "I will remember that name is Ana.",
    },
    {
      says: "remember secretly that my pin is 1234",
      result: {},
      calls: 'memory_set {"key":"pin","value":"1234","secret":true}',
      answer: "I will remember pin and keep it secret.",
    },
    {
      says: "remember to buy milk",
      result: {},
      calls: 'memory_set {"key":"note_buy_milk","value":"buy milk"}',
      answer: /buy milk/,
    },
    {
      says: "What is my favourite colour?",
      result: { key: "favourite_colour", found: true, value: "blue" },
      calls: 'memory_get {"key":"favourite_colour"}',
      answer: "Your favourite colour is blue.",
    },
    {
      says: "recall favourite colour",
      result: { key: "favourite_colour", found: false },
      calls: 'memory_get {"key":"favourite_colour"}',
      answer: "I have nothing stored as favourite colour.",
    },
    {
      says: "Do you remember my name?",
      result: "plain text from another tool",
      calls: 'memory_get {"key":"name"}',
      answer: "My memory says about name: plain text from another tool",
    },
    {
      says: "who am I?",
      result: { found: true, value: "Ana" },
      calls: 'memory_get {"key":"name"}',
      answer: "Your name is Ana.",
    },
    {
      says: "What do you remember about me?",
      result: {
        entries: [
          { key: "dog_name", value: "Rex" },
          { key: "pin", value: "(secret)" },
        ],
      },
      calls: "memory_list {}",
      answer: "This is what I remember:\n\n- dog name: Rex\n- pin: (secret)",
    },
    { says: "list memories", result: { entries: [] }, calls: "memory_list {}", answer: "I remember nothing yet." },
    {
      says: "search memory for dog",
      result: { entries: [] },
      calls: 'memory_search {"query":"dog"}',
      answer: "I remember nothing about dog.",
    },
    {
      says: "forget my favourite colour.",
      result: { deleted: true },
      calls: 'memory_delete {"key":"favourite_colour"}',
      answer: "Forgotten: favourite colour.",
    },
    {
      says: "forget about the pin",
      result: { deleted: false },
      calls: 'memory_delete {"key":"pin"}',
      answer: "I had nothing stored as pin.",
    },
    {
      says: "what is 12*7+1?",
      result: { result: 85 },
      calls: 'calculate {"expression":"12*7+1"}',
      answer: "`12*7+1` = 85",
    },
    {
      says: "calculate sqrt(2) * 1,000",
      result: { result: 1414.2 },
      calls: 'calculate {"expression":"sqrt(2) * 1000"}',
      answer: "`sqrt(2) * 1000` = 1414.2",
    },
    {
      says: "How much is 3 times 4 plus 1",
      result: "13",
      calls: 'calculate {"expression":"3 * 4 + 1"}',
      answer: "`3 * 4 + 1` = 13",
    },
    { says: "2 x 3 =", result: { result: 6 }, calls: 'calculate {"expression":"2 * 3"}', answer: "`2 * 3` = 6" },
    {
      says: "calculate 1/0",
      result: { error: { code: "invalid_request", message: "division by zero at 2" } },
      calls: 'calculate {"expression":"1/0"}',
      answer: "The tool calculate could not do this: division by zero at 2",
    },
    {
      says: "What time is it in Europe/Madrid?",
      result: { local: "Saturday 21 November 2026 at 13:00:00", zone: "Europe/Madrid" },
      calls: 'time_now {"tz":"Europe/Madrid"}',
      answer: "It is Saturday 21 November 2026 at 13:00:00 (Europe/Madrid).",
    },
    {
      says: "what's the time in new york",
      result: { local: "early", zone: "America/New_York" },
      calls: 'time_now {"tz":"America/New_York"}',
      answer: "It is early (America/New_York).",
    },
    { says: "what time is it?", result: "noon", calls: "time_now {}", answer: "The clock says: noon" },
    {
      says: "what time is it in Gondor",
      result: '{"error":{"code":"unknown_zone","message":"Time zone \\"Gondor\\" is not known"}}',
      calls: 'time_now {"tz":"Gondor"}',
      answer: 'The tool time_now could not do this: Time zone "Gondor" is not known',
    },
    {
      says: "fetch https://example.com/a?b=c.",
      result: {
        url: "https://example.com/",
        status: 200,
        title: "Example",
        text: "One\n\nTwo\nThree\nFour\nFive\nSix",
        truncated: false,
      },
      calls: 'web_fetch {"url":"https://example.com/a?b=c"}',
      answer:
        "I read https://example.com/a?b=c, Example. It begins:\n\nOne\nTwo\nThree\nFour\nFive\n\n(These are only the first lines.)",
    },
    {
      says: "read the page example.com/x",
      result: "Just text",
      calls: 'web_fetch {"url":"https://example.com/x"}',
      answer: "I read https://example.com/x. It begins:\n\nJust text",
    },
    {
      says: "<https://example.com>",
      result: { status: 404, text: "Not here" },
      calls: 'web_fetch {"url":"https://example.com"}',
      answer: "I read https://example.com, status 404. It begins:\n\nNot here",
    },
    {
      says: "fetch http://127.0.0.1/",
      result: { error: { code: "refused", message: "127.0.0.1 is a loopback address" } },
      calls: 'web_fetch {"url":"http://127.0.0.1/"}',
      answer: "The tool web_fetch could not do this: 127.0.0.1 is a loopback address",
    },
    {
      says: "ask me whether tea or coffee",
      result: "tea",
      calls: 'ask_user {"question":"Which one: tea or coffee?","choices":["tea","coffee"]}',
      answer: "You answered: tea",
    },
    {
      says: "ask me to choose between red, green and blue",
      result: '{"answer":"green"}',
      calls: 'ask_user {"question":"Which one: red, green and blue?","choices":["red","green","blue"]}',
      answer: "You answered: green",
    },
    {
      says: "ask me my favourite book",
      result: "Emma",
      calls: 'ask_user {"question":"What is your favourite book?"}',
      answer: "You answered: Emma",
    },
    {
      says: "ask me if I like tea",
      result: "yes",
      calls: 'ask_user {"question":"Do you like tea?"}',
      answer: "You answered: yes",
    },
    {
      says: "Ask me back.",
      result: "hm",
      calls: 'ask_user {"question":"What would you like to tell me?"}',
      answer: "You answered: hm",
    },
    {
      says: "ask me what the weather is like",
      result: "Interrupted; the outcome is unknown.",
      calls: 'ask_user {"question":"What the weather is like?"}',
      answer: "The tool ask_user could not do this: Interrupted; the outcome is unknown.",
    },
    {
      says: "remind me in 10 minutes to stretch",
      result: "sch_1",
      calls: 'schedule_add {"when":"in 10 minutes","description":"stretch"}',
      answer: 'Scheduled "stretch" for in 10 minutes. The scheduler says: sch_1',
    },
    {
      says: "every day at 9 tell me to drink water",
      result: "ok",
      calls: 'schedule_add {"when":"every day at 9","description":"drink water"}',
      answer: /drink water/,
    },
    {
      says: "remind me every monday and thursday at 8:30 about the meeting!",
      result: "ok",
      calls: 'schedule_add {"when":"every monday and thursday at 8:30","description":"the meeting"}',
      answer: /the meeting/,
    },
    {
      says: "remind me tomorrow at 9am to call Bo",
      result: "ok",
      calls: 'schedule_add {"when":"tomorrow at 9am","description":"call Bo"}',
      answer: /call Bo/,
    },
    {
      says: "@parley could you please calculate 1+1",
      result: { result: 2 },
      calls: 'calculate {"expression":"1+1"}',
      answer: "1+1 = 2",
    },
    {
      says: "[Scheduled task]: what is 2+2",
      result: { result: 4 },
      calls: 'calculate {"expression":"2+2"}',
      answer: "2+2 = 4",
    },
  ];

  test.each(cases)("$says -> $calls", async ({ says, result, calls, answer }) => {
    const { text, turns } = await talk(says, () => result);
    expect(turns).toEqual([[calls]]);
    if (typeof answer === "string") expect(text).toBe(answer);
    else expect(text).toMatch(answer);
  });

  test("a job of five steps calls its tool once per turn and reports what the tool returned", async () => {
    const { text, turns } = await talk("run a long job of 5 steps", (_, { expression }) => ({
      result: Number.parseInt(String(expression), 10) + 1,
    }));
    expect(turns).toEqual([0, 1, 2, 3, 4].map((i) => [`calculate {"expression":"${i} + 1"}`]));
    expect(text).toBe("Done: 5 of 5 steps, one tool call each: 1, 2, 3, 4, 5.");
  });

  test("in parallel it makes two calls per turn, and says which failed", async () => {
    const { text, turns } = await talk("count to 5 slowly, in parallel", (_, { expression }) =>
      expression === "2 + 1"
        ? { error: { code: "timeout", message: "too slow" } }
        : { result: Number.parseInt(String(expression), 10) + 1 },
    );
    expect(turns.map((calls) => calls.length)).toEqual([2, 2, 1]);
    expect(text).toBe("Done: 4 of 5 steps, one tool call each: 1, 2, 4, 5. 1 failed: too slow");
  });

  test("it calls only what it is offered and says what is missing", async () => {
    for (const says of [
      "remember that a is b",
      "what is 1+1",
      "what time is it",
      "fetch https://example.com",
      "ask me back",
      "count to 3",
    ]) {
      const { text, turns } = await talk(says, undefined, { tools: [] });
      expect(turns).toEqual([]);
      expect(text).toMatch(/^I would use the tool \w+ for this, but it is not available here\.$/);
    }
    const { text } = await talk("remind me in 5m to stretch", undefined, { tools: ["calculate"] });
    expect(text).toMatch(/no tool for schedules is available. Nothing was scheduled/);
  });

  test("several messages in one turn are dealt with in order and answered together", async () => {
    const memory = new Map<unknown, unknown>();
    const { text, turns } = await talk(
      ["remember that my cat is Tom", "what is my cat?", "hello"],
      (name, { key, value }) => {
        if (name === "memory_set") memory.set(key, value);
        return name === "memory_set" ? { stored: true } : { found: memory.has(key), value: memory.get(key) };
      },
    );
    expect(turns.flat().map((call) => call.split(" ")[0])).toEqual(["memory_set", "memory_get"]);
    expect(text).toMatch(/^I will remember that cat is Tom\.\n\nYour cat is Tom\.\n\nHello!/);
  });

  test("only the current turn counts: an old result is not taken for a new one", async () => {
    const first = await talk("what time is it?", () => ({ local: "noon", zone: "UTC" }));
    const second = await talk("what time is it?", () => ({ local: "one", zone: "UTC" }), {
      history: first.transcript.slice(1),
    });
    expect(second.turns).toEqual([["time_now {}"]]);
    expect(second.text).toBe("It is one (UTC).");
    const ids = second.transcript
      .flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
      .map((call) => call.id);
    expect(new Set(ids).size).toBe(2);
  });

  test("a repeated request gets the same reply, ids included", async () => {
    const messages: ChatMessage[] = [{ role: "user", content: "count to 4 in parallel" }];
    expect(await askDemo(messages, specs(ALL_TOOLS))).toEqual(await askDemo(messages, specs(ALL_TOOLS)));
  });
});

describe("answering without tools", () => {
  test.each([
    { says: "hello", answer: /^Hello! I am an offline demo model/ },
    { says: "Good morning!", answer: /^Hello!/ },
    { says: "what can you do?", answer: /remember and recall[\s\S]*AI_URL[\s\S]*AI_API_KEY/ },
    { says: "help", answer: /AI_URL/ },
    { says: "thank you so much", answer: /^You are welcome\.$/ },
    { says: "echo one\n*two* — three", answer: /^one\n\*two\* — three$/ },
    { says: "Why is the sky blue?", answer: /offline demo model[\s\S]*beyond me[\s\S]*AI_URL[\s\S]*AI_API_KEY/ },
    { says: "", answer: /offline demo model/ },
    { says: "[Scheduled task]: water the plants", answer: /^Reminder: water the plants$/ },
    { says: "forget everything", answer: /one thing at a time/ },
    { says: "remind me to stretch", answer: /^When\?/ },
    { says: "count to 0", answer: /done already/ },
  ])("$says", async ({ says, answer }) => {
    const { text, turns } = await talk(says);
    expect(turns).toEqual([]);
    expect(text).toMatch(answer);
  });

  test.each([{ words: 1 }, { words: 400 }, { words: 5000 }])(
    "a long answer has exactly $words words",
    async ({ words }) => {
      const { text } = await talk(`write a long answer of ${words} words`);
      expect(text.split(/\s+/)).toHaveLength(words);
    },
  );

  test("an answer streams in word by word and is counted", async () => {
    const pieces: string[] = [];
    const reply = await client.ask({
      runId: parseRunId("run-1"),
      purpose: "chat",
      messages: [{ role: "user", content: "echo one two three" }],
      tools: [],
      signal: new AbortController().signal,
      onText: (piece) => pieces.push(piece),
    });
    expect(pieces.slice(0, 3)).toEqual(["one", " two", " three"]);
    expect(pieces.join("")).toBe(reply.text);
    expect(reply).toMatchObject({
      model: "parley-demo",
      usage: { outputTokens: Math.ceil(Buffer.byteLength(reply.text) / 4) },
    });
    expect(reply.usage.inputTokens).toBeGreaterThan(0);
  });

  test("a caller that goes away in the middle of an answer leaves the server working", async () => {
    const slow = await startDemoModel({ wordDelayMs: 5, log: silentLog });
    const slowClient = createModelClient({
      url: slow.url,
      model: "m",
      timeoutMs: 10_000,
      log: silentLog,
      clock: systemClock,
    });
    const stopper = new AbortController();
    const request = { runId: parseRunId("r"), purpose: "chat" as const, tools: [] };
    const long = slowClient.ask({
      ...request,
      messages: [{ role: "user", content: "write a long answer of 5000 words" }],
      signal: stopper.signal,
      onText: () => stopper.abort(),
    });
    await expect(long).rejects.toMatchObject({ name: "AbortError" });
    const reply = await slowClient.ask({
      ...request,
      messages: [{ role: "user", content: "echo still here" }],
      signal: new AbortController().signal,
    });
    expect(reply.text).toMatch(/^still here/);
    await slow.stop();
    await slow.stop();
  });
});

describe("wrong input", () => {
  const post = async (body: string) => {
    const response = await fetch(`${demo.url}/chat/completions`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    return { status: response.status, body: await response.json() };
  };
  const transcript = (messages: readonly unknown[]) => JSON.stringify({ model: "m", messages });
  const calls = [{ id: "c1", type: "function", function: { name: "now", arguments: "{}" } }];

  test.each([
    { given: "what is not JSON", body: '{"model":', says: /could not parse the JSON body/ },
    { given: "no messages", body: '{"model":"m","messages":[]}', says: /'messages'/ },
    { given: "no model", body: '{"messages":[{"role":"user","content":"x"}]}', says: /'model'/ },
    { given: "an unknown role", body: transcript([{ role: "robot", content: "x" }]), says: /'messages\.\[0\]\.role'/ },
    {
      given: "a result nobody asked for",
      body: transcript([{ role: "tool", tool_call_id: "c1", content: "x" }]),
      says: /must be a response to a preceding message/,
    },
    {
      given: "a call without its result",
      body: transcript([
        { role: "assistant", content: null, tool_calls: calls },
        { role: "user", content: "x" },
      ]),
      says: /did not have response messages: c1/,
    },
    {
      given: "a last call without its result",
      body: transcript([{ role: "assistant", content: null, tool_calls: calls }]),
      says: /did not have response messages: c1/,
    },
    {
      given: "a result given twice",
      body: transcript([
        { role: "assistant", content: null, tool_calls: calls },
        { role: "tool", tool_call_id: "c1", content: "x" },
        { role: "tool", tool_call_id: "c1", content: "x" },
      ]),
      says: /must be a response/,
    },
  ])("$given is refused with 400 in the form of the API", async ({ body, says }) => {
    const { status, body: reply } = await post(body);
    expect(status).toBe(400);
    expect(reply).toEqual({
      error: {
        message: expect.stringMatching(says),
        type: "invalid_request_error",
        param: expect.toSatisfy((p) => p === null || typeof p === "string"),
        code: null,
      },
    });
  });

  test("another path is not found, and the list of models names the demo model", async () => {
    const missing = await fetch(`${demo.url}/embeddings`, { method: "POST", body: "{}" });
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    const models = await fetch(`${demo.url}/models`);
    expect(await models.json()).toMatchObject({ object: "list", data: [{ id: "parley-demo" }] });
  });

  test("without stream the reply is one body, with parts of text understood", async () => {
    const { status, body } = await post(transcript([{ role: "user", content: [{ type: "text", text: "echo hi" }] }]));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { role: "assistant", content: `hi\n\n${DEMO_LABEL}` }, finish_reason: "stop" }],
      usage: { total_tokens: expect.toSatisfy((n) => n > 0) },
    });
  });
});

test("a request for a summary gets the newest things people said, and no rule answers what they asked for", async () => {
  const said = Array.from({ length: 20 }, (_, index) => `Person: remember that number ${index}: is ${"x".repeat(200)}`);
  const content = ["Summary so far:", "Ana: likes tea", "", "The conversation since then:", "", ...said].join("\n");
  const request = { runId: parseRunId("r"), tools: [], signal: new AbortController().signal };
  const { text, toolCalls } = await client.ask({
    ...request,
    purpose: "summary",
    messages: [{ role: "user", content: `${content}\nAssistant: Noted.\n(Assistant used memory_set: done)` }],
  });
  expect(toolCalls).toEqual([]);
  expect(text.split("\n")).toHaveLength(12);
  expect(text).toMatch(/^Person: remember that number 8: is x+…\n/);
  expect(text).not.toMatch(/Assistant|offline demo model/);
  const short = await client.ask({ ...request, purpose: "summary", messages: [{ role: "user", content: "Ana: tea" }] });
  expect(short.text).toBe("Ana: tea");
});
