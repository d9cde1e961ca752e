import type { WorkspaceId } from "../kernel/ids.ts";
import type { Tool } from "./contract.ts";

/** A place tools come from: files, declarations, servers. What it has may change while the process runs. */
export interface ToolSource {
  /** The tools a person has from here now. Never throws: what is broken is left out and named in `problems`. */
  toolsFor(workspaceId: WorkspaceId): Promise<readonly Tool[]>;
  /** One sentence for each thing that is wrong now, naming what and where; no secret in it. */
  problems(): readonly string[];
  close(): Promise<void>;
}
