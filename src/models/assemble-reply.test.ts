import { expect, test } from "vitest";
import { addChunk, emptyDraft, finishReply } from "./assemble-reply.ts";
import { chunkSchema } from "./wire-reply.ts";

const context = {
  request: { messages: [], tools: [] },
  model: "m",
  toolName: (name: string) => name,
  place: "the model",
};

test.each([
  { usage: { prompt_tokens: 9, completion_tokens: 2 }, counted: { inputTokens: 9, outputTokens: 2 } },
  {
    usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 5 } },
    counted: { inputTokens: 9, outputTokens: 2, cachedInputTokens: 5 },
  },
  {
    usage: { prompt_tokens: 9, completion_tokens: 2, prompt_cache_hit_tokens: 4 },
    counted: { inputTokens: 9, outputTokens: 2, cachedInputTokens: 4 },
  },
  {
    usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 50 } },
    counted: { inputTokens: 9, outputTokens: 2, cachedInputTokens: 9 },
  },
  {
    usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: "many" } },
    counted: { inputTokens: 9, outputTokens: 2 },
  },
  { usage: { completion_tokens: 2, prompt_tokens_details: { cached_tokens: 50 } }, counted: { outputTokens: 2 } },
])("the usage $usage counts as $counted, whether streamed or not", ({ usage, counted }) => {
  const draft = emptyDraft();
  addChunk(draft, chunkSchema.parse({ choices: [{ message: { content: "hi" }, finish_reason: "stop" }] }));
  addChunk(draft, chunkSchema.parse({ choices: [], usage }));
  const reply = finishReply(draft, context);
  expect(reply.usage).toMatchObject(counted);
  expect("cachedInputTokens" in reply.usage).toBe("cachedInputTokens" in counted);
});
