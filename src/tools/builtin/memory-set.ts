import { z } from "zod";
import type { MemoryStore } from "../../store/memory.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";

/** `memory_set`: remembers one thing about or for the person. */
export function memorySetTool(memory: Pick<MemoryStore, "set">): Tool {
  return defineTool({
    name: "memory_set",
    description:
      "Remembers something for this person in all their conversations, or replaces what was remembered under the key.",
    effect: "idempotent",
    trusted: true,
    timeoutMs: 10_000,
    input: z.object({
      key: z.string().describe("Short name, for example favourite_colour"),
      value: z.string(),
      secret: z.boolean().optional().describe("True for passwords and the like: stored, but never shown again"),
    }),
    run: async ({ key, value, secret = false }, { workspaceId, clock }) => {
      await memory.set(workspaceId, { key, value, secret, at: clock.now() });
      return { key, stored: true };
    },
  });
}
