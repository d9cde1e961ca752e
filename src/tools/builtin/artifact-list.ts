import { z } from "zod";
import type { ArtifactStore } from "../../store/artifacts.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";

const MAX_LISTED = 100;

/** `artifact_list`: the person's files, the newest first. */
export function artifactListTool(artifacts: Pick<ArtifactStore, "list">): Tool {
  return defineTool({
    name: "artifact_list",
    description: "Lists the files made for this person in all their conversations, the newest first.",
    effect: "read",
    trusted: true,
    private: true,
    timeoutMs: 10_000,
    input: z.object({}),
    run: async (_input, { workspaceId }) => {
      const all = (await artifacts.list(workspaceId)).toReversed();
      const files = all.slice(0, MAX_LISTED).map(({ id, name, mediaType, bytes, createdAt }) => ({
        id,
        name,
        media_type: mediaType,
        bytes,
        created_at: new Date(createdAt).toISOString(),
      }));
      return all.length > files.length ? { files, not_listed: all.length - files.length } : { files };
    },
  });
}
