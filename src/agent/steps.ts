import { z } from "zod";

/** A model call's step as it stands in the journal. */
export const modelReplySchema = z.object({
  text: z.string(),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), args: z.string() })),
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number() }),
  model: z.string(),
  lengthLimited: z.boolean().optional(),
  notices: z.array(z.string()).optional(),
});
export type StoredReply = z.infer<typeof modelReplySchema>;

/** A tool call's step as it stands in the journal: what the model gets to read, or the question it asked. */
export const toolResultSchema = z.object({
  content: z.string(),
  ok: z.boolean(),
  question: z.object({ ask: z.string(), choices: z.array(z.string()).optional() }).optional(),
});
export type StoredResult = z.infer<typeof toolResultSchema>;
