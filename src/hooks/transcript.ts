import { z } from "zod";
import type { ChatMessage } from "../models/contract.ts";

const messageSchema = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content: z.string() }),
  z.object({ role: z.literal("user"), content: z.string(), name: z.string().exactOptional() }),
  z.object({
    role: z.literal("assistant"),
    content: z.string(),
    toolCalls: z.array(z.object({ id: z.string(), name: z.string(), args: z.string() })).exactOptional(),
  }),
  z.object({ role: z.literal("tool"), callId: z.string(), content: z.string() }),
]);

/**
 * The messages a hook gave back, or what is wrong with them in a sentence: a provider refuses a transcript in which a
 * call has not exactly one result right behind it, and then no later call of the conversation would work. Pure.
 */
export function checkTranscript(
  value: unknown,
): { readonly messages: readonly ChatMessage[] } | { readonly wrong: string } {
  const parsed = z.array(messageSchema).safeParse(value);
  if (!parsed.success) return { wrong: `its messages do not fit: ${z.prettifyError(parsed.error).slice(0, 300)}` };
  const messages = parsed.data;
  if (!messages.some(({ role }) => role === "user")) return { wrong: "it left no message of a person" };
  let open = new Set<string>();
  for (const message of messages) {
    if (message.role === "tool") {
      if (!open.delete(message.callId)) return { wrong: `there is a result without its call (${message.callId})` };
    } else {
      const [missing] = open;
      if (missing !== undefined) return { wrong: `there is a call without its result (${missing})` };
      if (message.role === "assistant") open = new Set(message.toolCalls?.map(({ id }) => id));
    }
  }
  const [missing] = open;
  return missing === undefined ? { messages } : { wrong: `there is a call without its result (${missing})` };
}
