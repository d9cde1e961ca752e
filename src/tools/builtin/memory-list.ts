import { z } from "zod";
import type { MemoryStore } from "../../store/memory.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";
import { previewListing } from "./memory-preview.ts";

/** `memory_list`: everything remembered, long values shortened. */
export function memoryListTool(memory: Pick<MemoryStore, "list">): Tool {
  return defineTool({
    name: "memory_list",
    description: "Lists what is remembered for this person. Secret values are not shown.",
    effect: "read",
    trusted: true,
    private: true,
    timeoutMs: 10_000,
    input: z.object({ prefix: z.string().optional().describe("Only keys that begin with this") }),
    run: async ({ prefix }, { workspaceId }) => previewListing(await memory.list(workspaceId, prefix)),
  });
}
