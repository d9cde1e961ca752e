import type { HookRunner } from "./hooks/run-hooks.ts";
import type { MemoryStore } from "./store/memory.ts";

/** The same store, whose changes the hooks are told of. */
export function watchMemory(memory: MemoryStore, hooks: Pick<HookRunner, "tell">): MemoryStore {
  return {
    ...memory,
    async set(workspaceId, entry) {
      await memory.set(workspaceId, entry);
      hooks.tell("onMemory", { workspaceId, action: "set", key: entry.key });
    },
    async delete(workspaceId, key) {
      const deleted = await memory.delete(workspaceId, key);
      if (deleted) hooks.tell("onMemory", { workspaceId, action: "delete", key });
      return deleted;
    },
    async eraseMemory(workspaceId) {
      await memory.eraseMemory(workspaceId);
      hooks.tell("onMemory", { workspaceId, action: "erase" });
    },
  };
}
