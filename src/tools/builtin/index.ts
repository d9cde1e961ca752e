import type { ArtifactStore } from "../../store/artifacts.ts";
import type { MemoryStore } from "../../store/memory.ts";
import type { ResultStore } from "../../store/results.ts";
import type { Tool } from "../contract.ts";
import type { FetchPage } from "../safe-fetch.ts";
import { artifactCreateTool } from "./artifact-create.ts";
import { artifactDeleteTool } from "./artifact-delete.ts";
import { artifactListTool } from "./artifact-list.ts";
import { artifactReadTool } from "./artifact-read.ts";
import { askUserTool } from "./ask-user.ts";
import { calculateTool } from "./calculate.ts";
import { memoryDeleteTool } from "./memory-delete.ts";
import { memoryGetTool } from "./memory-get.ts";
import { memoryListTool } from "./memory-list.ts";
import { memorySearchTool } from "./memory-search.ts";
import { memorySetTool } from "./memory-set.ts";
import { resultReadTool } from "./result-read.ts";
import { timeNowTool, type ZoneOf } from "./time-now.ts";
import { webFetchTool } from "./web-fetch.ts";

/** What the built-in tools work on. */
export interface BuiltinParts {
  readonly memory: MemoryStore;
  readonly artifacts: ArtifactStore;
  readonly results: ResultStore;
  readonly fetchPage: FetchPage;
  /** Without it, `time_now` speaks UTC unless a zone is asked for. */
  readonly zoneOf?: ZoneOf;
}

/** The tools every installation has. */
export function builtinTools(parts: BuiltinParts): Tool[] {
  const { memory, artifacts, results, fetchPage, zoneOf = async () => undefined } = parts;
  return [
    memorySetTool(memory),
    memoryGetTool(memory),
    memoryListTool(memory),
    memoryDeleteTool(memory),
    memorySearchTool(memory),
    artifactCreateTool(artifacts),
    artifactListTool(artifacts),
    artifactReadTool(artifacts),
    artifactDeleteTool(artifacts),
    resultReadTool(results),
    timeNowTool(zoneOf),
    calculateTool(),
    webFetchTool(fetchPage),
    askUserTool(),
  ];
}
