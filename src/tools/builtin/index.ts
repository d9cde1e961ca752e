import type { MemoryStore } from "../../store/memory.ts";
import type { Tool } from "../contract.ts";
import type { FetchPage } from "../safe-fetch.ts";
import { askUserTool } from "./ask-user.ts";
import { calculateTool } from "./calculate.ts";
import { memoryDeleteTool } from "./memory-delete.ts";
import { memoryGetTool } from "./memory-get.ts";
import { memoryListTool } from "./memory-list.ts";
import { memorySearchTool } from "./memory-search.ts";
import { memorySetTool } from "./memory-set.ts";
import { timeNowTool, type ZoneOf } from "./time-now.ts";
import { webFetchTool } from "./web-fetch.ts";

/** What the built-in tools work on. */
export interface BuiltinParts {
  readonly memory: MemoryStore;
  readonly fetchPage: FetchPage;
  /** Without it, `time_now` speaks UTC unless a zone is asked for. */
  readonly zoneOf?: ZoneOf;
}

/** The tools every installation has. */
export function builtinTools({ memory, fetchPage, zoneOf = async () => undefined }: BuiltinParts): Tool[] {
  return [
    memorySetTool(memory),
    memoryGetTool(memory),
    memoryListTool(memory),
    memoryDeleteTool(memory),
    memorySearchTool(memory),
    timeNowTool(zoneOf),
    calculateTool(),
    webFetchTool(fetchPage),
    askUserTool(),
  ];
}
