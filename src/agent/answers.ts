import { z } from "zod";

/** A delivered answer as it is noted beside the message it answers. */
export const answerSchema = z.object({
  deliveryId: z.string(),
  text: z.string(),
  postedId: z.string(),
  deliveredAt: z.number(),
});
