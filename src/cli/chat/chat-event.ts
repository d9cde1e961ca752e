import { z } from "zod";
import { deliveryKindSchema } from "../../kernel/messages.ts";

const deliverySchema = z.object({
  id: z.string(),
  kind: deliveryKindSchema,
  text: z.string(),
  choices: z.array(z.string()).optional(),
  files: z.array(z.object({ name: z.string(), bytes: z.number(), url: z.string().optional() })).optional(),
  approval: z.object({ id: z.string(), state: z.string() }).optional(),
  answers: z.array(z.string()),
});

/** What the bot says, with the ids of the messages it answers. */
export type Delivery = z.infer<typeof deliverySchema>;

const chatEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message.received"), message_id: z.string(), text: z.string() }),
  z.object({ type: z.literal("message.withdrawn"), message_id: z.string() }),
  z.object({ type: z.literal("run.started"), run_id: z.string(), message_ids: z.array(z.string()) }),
  z.object({ type: z.literal("run.progress"), run_id: z.string(), label: z.string() }),
  z.object({
    type: z.literal("text.delta"),
    run_id: z.string(),
    step: z.string(),
    text: z.string(),
    reset: z.boolean().optional(),
  }),
  z.object({ type: z.literal("delivery"), delivery: deliverySchema }),
  z.object({ type: z.literal("approval.decided"), approval_id: z.string() }),
  z.object({ type: z.literal("run.ended"), run_id: z.string() }),
]);

/** What happens in a conversation, as far as the terminal shows it. */
export type ChatEvent = z.infer<typeof chatEventSchema>;

/** Reads the data of a server-sent event; undefined for what this program does not know or show. */
export function parseChatEvent(data: string): ChatEvent | undefined {
  try {
    return chatEventSchema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}
