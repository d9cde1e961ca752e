import { z } from "zod";

const argumentsSchema = z.union([
  z.string(),
  z.record(z.string(), z.unknown()).transform((value) => JSON.stringify(value)),
]);

const callPieceSchema = z.object({
  index: z.number().nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: argumentsSchema.nullish() }).nullish(),
});
/** A tool call, or one streamed piece of it. */
export type CallPiece = z.output<typeof callPieceSchema>;

/** Plain text, or a list of typed parts of which only `text` ones are meant for the reader. */
const contentSchema = z.union([
  z.string(),
  z
    .array(z.object({ type: z.string().nullish(), text: z.unknown().optional() }))
    .transform((parts) =>
      parts.map((part) => (part.type === "text" && typeof part.text === "string" ? part.text : "")).join(""),
    ),
]);

const messageSchema = z.object({
  content: contentSchema.nullish(),
  refusal: z.string().nullish(),
  reasoning: z.unknown().optional(),
  reasoning_content: z.unknown().optional(),
  tool_calls: z.array(callPieceSchema).nullish(),
});

const countSchema = z.number().nonnegative().nullish().catch(undefined);

/** What is read of a completion, whole (`message`) or streamed (`delta`). Everything else providers add is ignored. */
export const chunkSchema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        index: z.number().nullish(),
        delta: messageSchema.nullish(),
        message: messageSchema.nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z
    .object({
      prompt_tokens: countSchema,
      completion_tokens: countSchema,
      prompt_tokens_details: z.object({ cached_tokens: countSchema }).nullish().catch(undefined),
      // DeepSeek's name for the same.
      prompt_cache_hit_tokens: countSchema,
    })
    .nullish()
    .catch(undefined),
});
export type Chunk = z.output<typeof chunkSchema>;
