import { z } from "zod";
import type { MemoryStore } from "../../store/memory.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";
import { previewListing } from "./memory-preview.ts";

/** `memory_search`: what is remembered about some words, best match first. */
export function memorySearchTool(memory: Pick<MemoryStore, "search">): Tool {
  return defineTool({
    name: "memory_search",
    description:
      "Searches the keys and values remembered for this person. Secret values are neither searched nor shown.",
    effect: "read",
    trusted: true,
    private: true,
    timeoutMs: 10_000,
    input: z.object({ query: z.string().trim().min(1).max(200) }),
    run: async ({ query }, { workspaceId }) => previewListing(await memory.search(workspaceId, query)),
  });
}
