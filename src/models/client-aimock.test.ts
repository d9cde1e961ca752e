import { LLMock } from "@copilotkit/aimock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseRunId } from "../kernel/ids.ts";
import { silentLog, systemClock } from "../kernel/ports.ts";
import { createModelClient } from "./client.ts";
import type { ModelClient, ModelRequest } from "./contract.ts";

const TOOLS = [
  {
    name: "weather.get",
    description: "the weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
  { name: "time_now", description: "the time", parameters: { type: "object", properties: {} } },
];

let mock: LLMock;
let client: ModelClient;

beforeEach(async () => {
  mock = new LLMock({ host: "127.0.0.1", port: 0, chunkSize: 4 });
  await mock.start();
  client = createModelClient({
    url: `${mock.url}/v1`,
    apiKey: "sk-test",
    model: "gpt-4.1",
    timeoutMs: 5000,
    log: silentLog,
    clock: systemClock,
  });
});

afterEach(() => mock.stop());

function ask(text: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    runId: parseRunId("run-1"),
    purpose: "chat",
    messages: [{ role: "user", content: text }],
    tools: TOOLS,
    signal: new AbortController().signal,
    ...more,
  };
}

describe("against a server written by others", () => {
  test("a streamed text arrives piece by piece and whole", async () => {
    mock.onMessage("hello", { content: "Hello, nice to meet you.", usage: { prompt_tokens: 9, completion_tokens: 7 } });
    const pieces: string[] = [];
    const reply = await client.ask(ask("hello", { onText: (delta) => pieces.push(delta) }));
    expect(reply).toMatchObject({
      text: "Hello, nice to meet you.",
      toolCalls: [],
      usage: { inputTokens: 9, outputTokens: 7 },
    });
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join("")).toBe(reply.text);
  });

  test("a tool call arrives under our name for the tool", async () => {
    mock.onMessage("weather", { toolCalls: [{ name: "weather_get", arguments: '{"city":"Madrid"}' }] });
    const { toolCalls } = await client.ask(ask("weather"));
    expect(toolCalls).toEqual([{ id: expect.stringMatching(/./), name: "weather.get", args: '{"city":"Madrid"}' }]);
    const sent = mock.getLastRequest()?.body;
    expect(sent).toMatchObject({ tools: [{ function: { name: "weather_get" } }, { function: { name: "time_now" } }] });
  });

  test("parallel tool calls and their text arrive apart", async () => {
    mock.onMessage("both", {
      content: "One moment.",
      toolCalls: [
        { name: "weather_get", arguments: '{"city":"Rome"}', id: "call_a" },
        { name: "time_now", arguments: "{}", id: "call_b" },
      ],
    });
    const reply = await client.ask(ask("both"));
    expect(reply.text).toBe("One moment.");
    expect(reply.toolCalls).toEqual([
      { id: "call_a", name: "weather.get", args: '{"city":"Rome"}' },
      { id: "call_b", name: "time_now", args: "{}" },
    ]);
  });

  test("a whole tool loop is a valid transcript for it", async () => {
    mock.onToolResult("call_a", { content: "It snows in Oslo." });
    mock.onMessage("weather", { toolCalls: [{ name: "weather_get", arguments: '{"city":"Oslo"}', id: "call_a" }] });
    const first = await client.ask(ask("weather"));
    const reply = await client.ask(
      ask("weather", {
        messages: [
          { role: "user", content: "weather" },
          { role: "assistant", content: first.text, toolCalls: first.toolCalls },
          { role: "tool", callId: "call_a", content: "snow" },
        ],
      }),
    );
    expect(reply.text).toBe("It snows in Oslo.");
  });

  test("429 says after how long to come back", async () => {
    mock.on(
      { userMessage: "hello" },
      { error: { message: "Rate limit reached", type: "rate_limit_error" }, status: 429, retryAfter: 17 },
    );
    await expect(client.ask(ask("hello"))).rejects.toMatchObject({
      code: "rate-limited",
      retry: { kind: "after", ms: 17_000 },
    });
  });

  test("500 is worth another try, and one attempt is one request", async () => {
    mock.nextRequestError(500, { message: "The server had an error", type: "server_error" });
    mock.onMessage("hello", { content: "hi" });
    await expect(client.ask(ask("hello"))).rejects.toMatchObject({ code: "unavailable", retry: { kind: "after" } });
    expect(mock.getRequests()).toHaveLength(1);
    expect((await client.ask(ask("hello"))).text).toBe("hi");
  });

  test("a stream cut in the middle is told from a short answer", async () => {
    mock.onMessage("hello", { content: "A rather long answer to this." }, { latency: 20, truncateAfterChunks: 3 });
    await expect(client.ask(ask("hello"))).rejects.toMatchObject({ code: "cut-short", retry: { kind: "after" } });
  });

  test("a connection lost in the middle is cut short as well", async () => {
    mock.onMessage("hello", { content: "A rather long answer to this." }, { latency: 30, disconnectAfterMs: 100 });
    await expect(client.ask(ask("hello"))).rejects.toMatchObject({ code: "cut-short", retry: { kind: "after" } });
  });

  test("a connection lost before the answer is unavailable", async () => {
    mock.onMessage("hello", { content: "hi" }, { chaos: { disconnectRate: 1 } });
    await expect(client.ask(ask("hello"))).rejects.toMatchObject({ code: "unavailable", retry: { kind: "after" } });
  });

  test("a malformed reply is garbled, not empty", async () => {
    mock.onMessage("hello", { content: "hi" }, { chaos: { malformedRate: 1 } });
    await expect(client.ask(ask("hello"))).rejects.toMatchObject({ code: "garbled", retry: { kind: "after" } });
  });

  test("an empty answer is no answer", async () => {
    mock.onMessage("hello", { content: "" });
    await expect(client.ask(ask("hello"))).rejects.toMatchObject({ code: "empty-answer", retry: { kind: "after" } });
  });
});
