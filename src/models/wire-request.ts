import type OpenAI from "openai";
import type { ChatMessage, ImagePart, ModelRequest, ToolSpec } from "./contract.ts";

type WireMessage = OpenAI.Chat.ChatCompletionMessageParam;

/** What the provider is sent, and the way back from the tool names it uses to ours. */
export interface WireRequest {
  readonly body: OpenAI.Chat.ChatCompletionCreateParamsStreaming;
  /** Our name of the tool the provider calls; a name nobody offered comes back as it is. */
  readonly toolName: (wireName: string) => string;
}

/** Turns a request into the body of a streaming chat completion. Pure. */
export function wireRequest(
  request: Pick<ModelRequest, "messages" | "tools" | "maxTokens">,
  settings: {
    readonly model: string;
    readonly temperature?: number;
    readonly maxTokens?: number;
    readonly vision?: boolean;
  },
): WireRequest {
  const names = wireToolNames(request.tools);
  const wireName = (name: string) => names.get(name) ?? plainName(name);
  const originals = new Map([...names].map(([name, wire]) => [wire, name]));
  const tools = request.tools.map((tool) => ({
    type: "function" as const,
    function: { name: wireName(tool.name), description: tool.description, parameters: tool.parameters },
  }));
  return {
    body: {
      model: settings.model,
      messages: request.messages.map((message) => wireMessage(message, wireName, settings.vision === true)),
      // An empty list is refused by most providers.
      ...(tools.length > 0 ? { tools } : {}),
      ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
      ...lengthLimit(settings.model, Math.min(request.maxTokens ?? Infinity, settings.maxTokens ?? Infinity)),
      stream: true,
      stream_options: { include_usage: true },
    },
    toolName: (wire) => originals.get(wire) ?? wire,
  };
}

/** The older name of the limit is what nearly every server knows; OpenAI's reasoning models refuse it. */
function lengthLimit(model: string, maxTokens: number) {
  if (maxTokens === Infinity) return {};
  return /^(openai\/)?(o\d|gpt-5)/.test(model) ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens };
}

/**
 * A person's name in the characters the API allows for one, `[A-Za-z0-9_-]` and at most 64; undefined when none is left.
 * Names in other scripts get lost this way, so whoever needs them puts them into the text as well.
 */
export function wireUserName(name: string): string | undefined {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^A-Za-z0-9_-]+/g, "_")
    .slice(0, 64)
    .replace(/^_+|_+$/g, "");
  return plain === "" ? undefined : plain;
}

function wireToolNames(tools: readonly ToolSpec[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  // Names without dots keep theirs, so `a_b` is never renamed because `a.b` came first.
  const inOrder = [...tools].sort((a, b) => Number(a.name.includes(".")) - Number(b.name.includes(".")));
  for (const { name } of inOrder) {
    let wire = plainName(name);
    for (let n = 2; taken.has(wire); n += 1) wire = `${plainName(name).slice(0, 60)}_${n}`;
    taken.add(wire);
    names.set(name, wire);
  }
  return names;
}

function plainName(name: string): string {
  return name.replaceAll(".", "_");
}

function wireMessage(message: ChatMessage, wireName: (name: string) => string, vision: boolean): WireMessage {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.content };
    case "user": {
      const name = message.name === undefined ? undefined : wireUserName(message.name);
      const content = wireContent(message.content, message.images ?? [], vision);
      return { role: "user", content, ...(name === undefined ? {} : { name }) };
    }
    case "tool":
      return { role: "tool", tool_call_id: message.callId, content: message.content };
    case "assistant": {
      const calls = message.toolCalls ?? [];
      if (calls.length === 0) return { role: "assistant", content: message.content };
      return {
        role: "assistant",
        content: message.content === "" ? null : message.content,
        tool_calls: calls.map((call) => ({
          id: call.id,
          type: "function",
          function: { name: wireName(call.name), arguments: wireArguments(call.args) },
        })),
      };
    }
  }
}

function wireContent(
  text: string,
  images: readonly ImagePart[],
  vision: boolean,
): string | OpenAI.Chat.ChatCompletionContentPart[] {
  if (images.length === 0) return text;
  if (!vision) return [text, ...images.map(({ name }) => `(You cannot see the image "${name}": say so.)`)].join("\n");
  return [
    { type: "text", text },
    ...images.map(({ mimeType, base64 }) => ({
      type: "image_url" as const,
      image_url: { url: `data:${mimeType};base64,${base64}` },
    })),
  ];
}

/**
 * Several providers parse the arguments of past calls and refuse every later request when one is not a JSON object, so
 * broken ones are wrapped: the model still sees what it wrote.
 */
function wireArguments(args: string): string {
  if (args.trim() === "") return "{}";
  try {
    const value: unknown = JSON.parse(args);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return args;
  } catch {
    // Wrapped below like every other value that is not an object.
  }
  return JSON.stringify({ invalid_arguments: args });
}
