import { createHash } from "node:crypto";
import { estimateTokens } from "../estimate.ts";
import type { Move } from "./move.ts";
import type { DemoRequest } from "./protocol.ts";

/** The only model the demo server has. */
export const DEMO_MODEL = "parley-demo";

/** A move as the whole JSON body of a chat completion. Equal requests give the equal body, ids included. */
export function completionBody(request: DemoRequest, move: Move): object {
  const { id, usage, toolCalls } = describe(request, move);
  return {
    id,
    object: "chat.completion",
    created: 0,
    model: DEMO_MODEL,
    choices: [
      {
        index: 0,
        message:
          move.do === "say"
            ? { role: "assistant", content: move.text, refusal: null }
            : { role: "assistant", content: null, refusal: null, tool_calls: toolCalls },
        logprobs: null,
        finish_reason: finishOf(move),
      },
    ],
    usage,
  };
}

/** A move as the chunks of a stream: words, or the pieces of tool calls, then the end and, when asked for, the usage. */
export function completionChunks(request: DemoRequest, move: Move): object[] {
  const { id, usage, toolCalls } = describe(request, move);
  const withUsage = request.stream_options?.include_usage === true;
  const chunk = (choices: object[], more: object = {}) => ({
    id,
    object: "chat.completion.chunk",
    created: 0,
    model: DEMO_MODEL,
    choices,
    ...(withUsage ? { usage: null } : {}),
    ...more,
  });
  const delta = (content: object, finish: string | null = null) =>
    chunk([{ index: 0, delta: content, logprobs: null, finish_reason: finish }]);
  const pieces = move.do === "say" ? (move.text.match(/\s*\S+\s*$|\s*\S+/g) ?? []).map((content) => ({ content })) : [];
  const calls = toolCalls.flatMap((call, index) => [
    { tool_calls: [{ index, ...call, function: { name: call.function.name, arguments: "" } }] },
    ...halves(call.function.arguments).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]);
  return [
    delta({ role: "assistant", content: move.do === "say" ? "" : null }),
    ...[...pieces, ...calls].map((content) => delta(content)),
    delta({}, finishOf(move)),
    ...(withUsage ? [chunk([], { usage })] : []),
  ];
}

interface WireCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

function describe(request: DemoRequest, move: Move) {
  const seed = createHash("sha256").update(JSON.stringify(request.messages)).digest("hex").slice(0, 16);
  const calls = move.do === "call" ? move.calls : [];
  const toolCalls: WireCall[] = calls.map(({ tool, args }, index) => ({
    id: `call_${seed}_${index}`,
    type: "function",
    function: { name: tool, arguments: JSON.stringify(args) },
  }));
  const prompt = estimateTokens(JSON.stringify([request.messages, request.tools ?? []]));
  const completion = estimateTokens(move.do === "say" ? move.text : JSON.stringify(calls));
  return {
    id: `chatcmpl-${seed}`,
    toolCalls,
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

function finishOf(move: Move): string {
  return move.do === "say" ? "stop" : "tool_calls";
}

function halves(text: string): string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((part) => part !== "");
}
