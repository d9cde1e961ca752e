import { z } from "zod";

/** A delivered answer as it is noted beside the message it answers. */
export const answerSchema = z.object({
  deliveryId: z.string(),
  text: z.string(),
  postedId: z.string(),
  deliveredAt: z.number(),
});

/** What is noted there instead of an answer that could not be delivered. */
export const undeliveredSchema = z.object({ deliveryId: z.string(), undelivered: z.string() });
