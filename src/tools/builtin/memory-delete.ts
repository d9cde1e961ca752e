import { z } from "zod";
import type { MemoryStore } from "../../store/memory.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";

/** `memory_delete`: forgets one thing. */
export function memoryDeleteTool(memory: Pick<MemoryStore, "delete">): Tool {
  return defineTool({
    name: "memory_delete",
    description: "Forgets one thing remembered for this person.",
    effect: "idempotent",
    trusted: true,
    timeoutMs: 10_000,
    input: z.object({ key: z.string() }),
    run: async ({ key }, { workspaceId, attempt }) => {
      const existed = await memory.delete(workspaceId, key);
      // On a later attempt, "not there" may be the work of the first one.
      return { key, deleted: existed || attempt > 1 };
    },
  });
}
