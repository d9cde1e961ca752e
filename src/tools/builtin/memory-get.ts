import { z } from "zod";
import type { MemoryStore } from "../../store/memory.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";

/** `memory_get`: one thing remembered, in full. */
export function memoryGetTool(memory: Pick<MemoryStore, "get">): Tool {
  return defineTool({
    name: "memory_get",
    description: "Reads one thing remembered for this person. Secret values are not shown.",
    effect: "read",
    trusted: true,
    private: true,
    timeoutMs: 10_000,
    input: z.object({ key: z.string() }),
    run: async ({ key }, { workspaceId }) => {
      const entry = await memory.get(workspaceId, key);
      return entry === undefined ? { key, found: false } : { key, found: true, value: entry.value };
    },
  });
}
