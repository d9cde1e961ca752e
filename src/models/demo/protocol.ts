import { z } from "zod";

const partSchema = z.looseObject({ type: z.string(), text: z.string().optional() });
const contentSchema = z.union([z.string(), z.array(partSchema)]).nullish();

const callSchema = z.looseObject({
  id: z.string().min(1),
  type: z.literal("function").optional(),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal(["system", "developer", "user"]), content: contentSchema }),
  z.looseObject({ role: z.literal("assistant"), content: contentSchema, tool_calls: z.array(callSchema).nullish() }),
  z.looseObject({ role: z.literal("tool"), content: contentSchema, tool_call_id: z.string() }),
]);
export type DemoMessage = z.output<typeof messageSchema>;

/** The part of a chat completion request that the demo model looks at; everything else is accepted and ignored. */
export const demoRequestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(messageSchema).min(1),
  tools: z
    .array(z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string().min(1) }) }))
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});
export type DemoRequest = z.output<typeof demoRequestSchema>;

/** The plain text of a message's content. */
export function textOf(message: DemoMessage): string {
  const { content } = message;
  return typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n");
}
