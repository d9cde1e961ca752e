import { z } from "zod";
import { fileSchema } from "../kernel/messages.ts";

/** A delivered answer as it is noted beside the message it answers. */
export const answerSchema = z.object({
  deliveryId: z.string(),
  text: z.string(),
  files: z.array(fileSchema).optional(),
  postedId: z.string(),
  deliveredAt: z.number(),
});

/** What is noted there instead of an answer that could not be delivered. */
export const undeliveredSchema = z.object({ deliveryId: z.string(), undelivered: z.string() });
