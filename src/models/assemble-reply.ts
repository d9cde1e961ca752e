import { createHash } from "node:crypto";
import { OutsideError } from "../kernel/errors.ts";
import type { ModelReply, ModelRequest, ToolCall, Usage } from "./contract.ts";
import { estimateRequest, estimateTokens } from "./estimate.ts";
import { addCallPiece, type PartialCall } from "./tool-call-pieces.ts";
import type { Chunk } from "./wire-reply.ts";

/** What has been received of one reply. Make it with {@link emptyDraft}, fill it with {@link addChunk}. */
export interface ReplyDraft {
  text: string;
  refusal: string;
  /** Only counted and mentioned: what a model thought is not its answer. */
  reasoningLength: number;
  readonly calls: PartialCall[];
  finish: string | undefined;
  model: string | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  cachedTokens: number | undefined;
}

/** A draft of a reply of which nothing has arrived. */
export function emptyDraft(): ReplyDraft {
  return {
    text: "",
    refusal: "",
    reasoningLength: 0,
    calls: [],
    finish: undefined,
    model: undefined,
    inputTokens: undefined,
    outputTokens: undefined,
    cachedTokens: undefined,
  };
}

/** Adds a streamed chunk, or a whole completion, and returns the text it brought. */
export function addChunk(draft: ReplyDraft, chunk: Chunk): string {
  if (chunk.model) draft.model = chunk.model;
  // Some servers count in every chunk, upwards; some send zeros until the end.
  draft.inputTokens = chunk.usage?.prompt_tokens || draft.inputTokens;
  draft.outputTokens = chunk.usage?.completion_tokens ?? draft.outputTokens;
  draft.cachedTokens =
    (chunk.usage?.prompt_tokens_details?.cached_tokens ?? chunk.usage?.prompt_cache_hit_tokens) || draft.cachedTokens;
  const choice = chunk.choices?.find((one) => (one.index ?? 0) === 0);
  if (choice === undefined) return "";
  if (choice.finish_reason) draft.finish = choice.finish_reason.toLowerCase();
  const message = choice.delta ?? choice.message;
  if (!message) return "";
  const text = message.content ?? "";
  draft.text += text;
  draft.refusal += message.refusal ?? "";
  draft.reasoningLength += lengthOf(message.reasoning_content) || lengthOf(message.reasoning);
  for (const piece of message.tool_calls ?? []) addCallPiece(draft.calls, piece);
  return text;
}

/** What {@link finishReply} needs beside the draft. */
export interface ReplyContext {
  readonly request: Pick<ModelRequest, "messages" | "tools">;
  readonly model: string;
  readonly toolName: (wireName: string) => string;
  /** Names the model and its address in errors. */
  readonly place: string;
}

/** Checks a draft that has ended and makes the reply of it; throws `OutsideError` when it is no usable answer. */
export function finishReply(draft: ReplyDraft, context: ReplyContext): ModelReply {
  const { place } = context;
  const ended = endOf(draft.finish);
  if (ended === "filtered")
    throw new OutsideError(`${place} withheld its answer (${draft.finish})`, { code: "refused" });
  if (ended === "failed")
    throw new OutsideError(`${place} ended its answer with an error`, {
      code: "unavailable",
      retry: { kind: "after" },
    });
  if (draft.calls.some((call) => call.name === ""))
    throw new OutsideError(`${place} called a tool without naming it`, { code: "garbled", retry: { kind: "after" } });
  if (ended === "at its limit" && draft.calls.some((call) => !isJson(call.args)))
    throw new OutsideError(`${place} reached its length limit inside a tool call`, {
      code: "cut-short",
      retry: { kind: "after" },
    });
  // A refusal in words is the model's answer, only in another field.
  const text = draft.text.trim() === "" ? draft.refusal : draft.text;
  if (text.trim() === "" && draft.calls.length === 0)
    throw new OutsideError(`${place} sent neither text nor a tool call${emptyBecause(draft, ended)}`, {
      code: "empty-answer",
      retry: { kind: "after" },
    });
  return {
    text,
    toolCalls: toolCalls(draft, context),
    usage: usageOf(draft, context.request),
    model: draft.model ?? context.model,
    ...(ended === "at its limit" ? { lengthLimited: true } : {}),
  };
}

type End = "normally" | "at its limit" | "filtered" | "failed";

function endOf(finish: string | undefined): End {
  switch (finish) {
    case "length":
    case "max_tokens":
    case "model_length":
      return "at its limit";
    case "content_filter":
    case "safety":
    case "recitation":
    case "prohibited_content":
    case "blocklist":
      return "filtered";
    case "error":
      return "failed";
    default:
      return "normally";
  }
}

function emptyBecause(draft: ReplyDraft, ended: End): string {
  const why = draft.reasoningLength > 0 ? `, only ${draft.reasoningLength} characters of reasoning` : "";
  return ended === "at its limit" ? `${why}, and reached its length limit` : why;
}

function toolCalls(draft: ReplyDraft, context: ReplyContext): ToolCall[] {
  const taken = new Set(
    context.request.messages.flatMap((message) =>
      message.role === "assistant" ? (message.toolCalls ?? []).map((call) => call.id) : [],
    ),
  );
  let seed: string | undefined;
  return draft.calls.map((call, position) => {
    let id = call.id;
    // Results find their call by id, so a missing one, or one the transcript has already, gets a new one.
    if (id === "" || taken.has(id)) {
      seed ??= createHash("sha256").update(JSON.stringify(context.request.messages)).digest("hex").slice(0, 20);
      id = `call_${seed}_${position}`;
    }
    taken.add(id);
    return { id, name: context.toolName(call.name), args: call.args };
  });
}

function usageOf(draft: ReplyDraft, request: ReplyContext["request"]): Usage {
  return {
    inputTokens: draft.inputTokens ?? estimateRequest(request),
    outputTokens:
      draft.outputTokens ??
      estimateTokens(draft.text + draft.refusal + draft.calls.map((call) => call.name + call.args).join("")) +
        Math.ceil(draft.reasoningLength / 4),
    // A part of a count that is only estimated would be no part of it.
    ...(draft.cachedTokens === undefined || draft.inputTokens === undefined
      ? {}
      : { cachedInputTokens: Math.min(draft.cachedTokens, draft.inputTokens) }),
  };
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? value.length : 0;
}

function isJson(text: string): boolean {
  if (text.trim() === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
