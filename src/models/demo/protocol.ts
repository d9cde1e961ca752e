import { z } from "zod";

const partSchema = z.object({ type: z.string(), text: z.string().optional() });
const contentSchema = z.union([z.string(), z.array(partSchema)]).nullish();

const callSchema = z.object({
  id: z.string().min(1),
  type: z.literal("function").optional(),
  function: z.object({ name: z.string().min(1), arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion("role", [
  z.object({ role: z.literal(["system", "developer", "user"]), content: contentSchema }),
  z.object({ role: z.literal("assistant"), content: contentSchema, tool_calls: z.array(callSchema).nullish() }),
  z.object({ role: z.literal("tool"), content: contentSchema, tool_call_id: z.string() }),
]);
export type DemoMessage = z.output<typeof messageSchema>;

/** The part of a chat completion request that the demo model looks at; everything else is accepted and ignored. */
export const demoRequestSchema = z.object({
  model: z.string().min(1),
  messages: z.array(messageSchema).min(1),
  tools: z.array(z.object({ type: z.literal("function"), function: z.object({ name: z.string().min(1) }) })).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
});
export type DemoRequest = z.output<typeof demoRequestSchema>;

/** The plain text of a message's content. */
export function textOf(message: DemoMessage): string {
  const { content } = message;
  return typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n");
}
