import { z } from "zod";
import type { ArtifactStore } from "../../store/artifacts.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";

/** `artifact_delete`: deletes one file for good. */
export function artifactDeleteTool(artifacts: Pick<ArtifactStore, "delete">): Tool {
  return defineTool({
    name: "artifact_delete",
    description: "Deletes one file made for this person, for good. Links to it stop working.",
    effect: "idempotent",
    trusted: true,
    timeoutMs: 10_000,
    // By its id alone: a repeated call by name would delete the next older file of that name.
    input: z.object({ id: z.string().min(1).describe("Its id, as artifact_list shows it") }),
    run: async ({ id }, { workspaceId }) => ({ id, deleted: await artifacts.delete(workspaceId, id) }),
  });
}
