import { describe, expect, test } from "vitest";
import type { ChatMessage, ToolSpec } from "./contract.ts";
import { estimateRequest, IMAGE_TOKENS } from "./estimate.ts";
import { wireRequest, wireUserName } from "./wire-request.ts";

const tool = (name: string): ToolSpec => ({
  name,
  description: `does ${name}`,
  parameters: { type: "object", properties: {} },
});

test("asks for a stream with its usage and offers the tools as functions", () => {
  const { body } = wireRequest(
    { messages: [{ role: "user", content: "hi" }], tools: [tool("now")] },
    { model: "m", temperature: 0.2 },
  );
  expect(body).toEqual({
    model: "m",
    temperature: 0.2,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: "hi" }],
    tools: [
      {
        type: "function",
        function: { name: "now", description: "does now", parameters: { type: "object", properties: {} } },
      },
    ],
  });
});

test("no tools means no list of tools, and no temperature none in the request", () => {
  const { body } = wireRequest({ messages: [], tools: [] }, { model: "m" });
  expect(Object.keys(body)).toEqual(["model", "messages", "stream", "stream_options"]);
});

test.each([
  { model: "gpt-4.1", own: undefined, asked: undefined, sent: {} },
  { model: "gpt-4.1", own: 100, asked: undefined, sent: { max_tokens: 100 } },
  { model: "qwen3", own: undefined, asked: 50, sent: { max_tokens: 50 } },
  { model: "gpt-4.1", own: 100, asked: 50, sent: { max_tokens: 50 } },
  { model: "gpt-4.1", own: 50, asked: 100, sent: { max_tokens: 50 } },
  { model: "o3-mini", own: 50, asked: 100, sent: { max_completion_tokens: 50 } },
  { model: "openai/gpt-5.1", own: undefined, asked: 100, sent: { max_completion_tokens: 100 } },
  { model: "olmo-2", own: 50, asked: undefined, sent: { max_tokens: 50 } },
])("an answer of $model limited to $own by the model and $asked by the caller is asked for with $sent", (given) => {
  const { body } = wireRequest(
    { messages: [], tools: [], ...(given.asked === undefined ? {} : { maxTokens: given.asked }) },
    { model: given.model, ...(given.own === undefined ? {} : { maxTokens: given.own }) },
  );
  const limits = Object.entries(body).filter(([key]) => key.startsWith("max_"));
  expect(Object.fromEntries(limits)).toEqual(given.sent);
});

test("dots in tool names become underscores and are found again, even when two names meet", () => {
  const { body, toolName } = wireRequest(
    {
      messages: [{ role: "assistant", content: "", toolCalls: [{ id: "1", name: "a.b", args: "{}" }] }],
      tools: [tool("a.b"), tool("a_b"), tool("mail.send")],
    },
    { model: "m" },
  );
  const names = (body.tools ?? []).map((one) => (one.type === "function" ? one.function.name : ""));
  expect(names).toEqual(["a_b_2", "a_b", "mail_send"]);
  expect(names.map(toolName)).toEqual(["a.b", "a_b", "mail.send"]);
  expect(toolName("invented")).toBe("invented");
  expect(body.messages[0]).toMatchObject({ tool_calls: [{ function: { name: "a_b_2" } }] });
});

test.each<{ given: string; message: ChatMessage; wire: unknown }>([
  {
    given: "a system message",
    message: { role: "system", content: "be kind" },
    wire: { role: "system", content: "be kind" },
  },
  {
    given: "a named person",
    message: { role: "user", content: "hi", name: "Ana P." },
    wire: { role: "user", content: "hi", name: "Ana_P" },
  },
  {
    given: "a person whose name has no allowed letter",
    message: { role: "user", content: "hi", name: "李雷" },
    wire: { role: "user", content: "hi" },
  },
  { given: "an answer", message: { role: "assistant", content: "ok" }, wire: { role: "assistant", content: "ok" } },
  {
    given: "a call without text",
    message: { role: "assistant", content: "", toolCalls: [{ id: "c", name: "now", args: "" }] },
    wire: {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c", type: "function", function: { name: "now", arguments: "{}" } }],
    },
  },
  {
    given: "a call whose arguments are not JSON",
    message: { role: "assistant", content: "wait", toolCalls: [{ id: "c", name: "now", args: '{"a":' }] },
    wire: {
      role: "assistant",
      content: "wait",
      tool_calls: [
        { id: "c", type: "function", function: { name: "now", arguments: '{"invalid_arguments":"{\\"a\\":"}' } },
      ],
    },
  },
  {
    given: "a call whose arguments are a bare string",
    message: { role: "assistant", content: "", toolCalls: [{ id: "c", name: "now", args: '"x"' }] },
    wire: {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "c", type: "function", function: { name: "now", arguments: '{"invalid_arguments":"\\"x\\""}' } },
      ],
    },
  },
  {
    given: "a result",
    message: { role: "tool", callId: "c", content: "42" },
    wire: { role: "tool", tool_call_id: "c", content: "42" },
  },
])("$given", ({ message, wire }) => {
  expect(wireRequest({ messages: [message], tools: [] }, { model: "m" }).body.messages).toEqual([wire]);
});

test.each([
  { name: "Ana", wire: "Ana" },
  { name: "José Ñandú", wire: "Jose_Nandu" },
  { name: " <Bob|2/3> ", wire: "Bob_2_3" },
  { name: "a".repeat(100), wire: "a".repeat(64) },
  { name: "🙂", wire: undefined },
  { name: "", wire: undefined },
])("the name $name goes out as $wire", ({ name, wire }) => {
  expect(wireUserName(name)).toBe(wire);
});

describe("an image", () => {
  const messages: ChatMessage[] = [
    {
      role: "user",
      content: "look",
      images: [
        { name: "a.png", mimeType: "image/png", base64: "QUJD" },
        { name: "b.gif", mimeType: "image/gif", base64: "REVG" },
      ],
    },
  ];

  test("stands behind the words for a model that takes images", () => {
    const { body } = wireRequest({ messages, tools: [] }, { model: "m", vision: true });
    expect(body.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
          { type: "image_url", image_url: { url: "data:image/gif;base64,REVG" } },
        ],
      },
    ]);
  });

  test("becomes a sentence for one that takes none", () => {
    const { body } = wireRequest({ messages, tools: [] }, { model: "m" });
    expect(body.messages).toEqual([
      {
        role: "user",
        content: 'look\n(You cannot see the image "a.png": say so.)\n(You cannot see the image "b.gif": say so.)',
      },
    ]);
  });

  test("counts the same whatever its size", () => {
    const without = estimateRequest({ messages: [{ role: "user", content: "look" }], tools: [] });
    const image = { name: "a.png", mimeType: "image/png", base64: "A".repeat(5_000_000) };
    expect(estimateRequest({ messages: [{ role: "user", content: "look", images: [image] }], tools: [] })).toBe(
      without + IMAGE_TOKENS,
    );
  });
});
