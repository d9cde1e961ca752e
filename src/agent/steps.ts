import { z } from "zod";
import { attachmentStateSchema, fileSchema } from "../kernel/messages.ts";

const usageSchema = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedInputTokens: z.number().optional(),
});

/** A model call's step as it stands in the journal. */
export const modelReplySchema = z.object({
  text: z.string(),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), args: z.string() })),
  usage: usageSchema,
  model: z.string(),
  lengthLimited: z.boolean().optional(),
  notices: z.array(z.string()).optional(),
  /** Where text from outside came from that the model had read; only beside tool calls, which may follow from it. */
  outside: z.array(z.string()).optional(),
});
export type StoredReply = z.infer<typeof modelReplySchema>;

/** A tool call's step as it stands in the journal: what the model gets to read, or the question it asked. */
export const toolResultSchema = z.object({
  content: z.string(),
  ok: z.boolean(),
  /** True when the call was not done because it had come to the same too often. */
  repeated: z.boolean().optional(),
  /** Files that go to the chat with the end of the run. */
  files: z.array(fileSchema).optional(),
  question: z.object({ ask: z.string(), choices: z.array(z.string()).optional() }).optional(),
  /** The label of text from outside: the tool that brought it. */
  from: z.string().optional(),
  /** The call was not made: nobody approved it, or a rule does not allow it. */
  refused: z.literal(true).optional(),
});
export type StoredResult = z.infer<typeof toolResultSchema>;

/** The step in which a run renews the running summary of its conversation. */
export const SUMMARY_STEP = "summary";

/**
 * An attempt at a running summary as it stands in the journal. It carries on what the attempt before it knew, so that
 * the newest one is all that has to be found.
 */
export const summaryStepSchema = z.object({
  /** The summary in force after the attempt, whether this one made it or not. */
  summary: z
    .object({
      text: z.string(),
      /** The id of the newest run it covers. */
      upTo: z.string(),
      /** How many runs it covers. */
      runs: z.number(),
      /** Where text from outside came from that it was made of. */
      outside: z.array(z.string()).optional(),
    })
    .optional(),
  /** Why this attempt made none. */
  problem: z.string().optional(),
  /** What asking the model took, when it answered. */
  usage: usageSchema.optional(),
  model: z.string().optional(),
});
export type SummaryStep = z.infer<typeof summaryStepSchema>;

/** What came of looking at a file that a person sent, as it stands in the journal. */
export const fileOutcomeSchema = z.object({
  state: attachmentStateSchema,
  /** What the file really is. */
  mimeType: z.string().optional(),
  bytes: z.number().optional(),
  upload: z.string().optional(),
  reason: z.string().optional(),
  text: z.string().optional(),
});
export type FileOutcome = z.infer<typeof fileOutcomeSchema>;
