import { z } from "zod";
import { InvalidInput } from "../../kernel/errors.ts";
import type { ArtifactStore } from "../../store/artifacts.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";
import { getArtifact } from "./find-artifact.ts";
import { MAX_WINDOW_CHARS, showWindow } from "./text-window.ts";

/** `artifact_read`: a piece of a file that holds text; of any other it says only that it is none. */
export function artifactReadTool(artifacts: Pick<ArtifactStore, "find" | "list" | "read">): Tool {
  return defineTool({
    name: "artifact_read",
    description: "Reads a file made for this person, piece by piece. Only text can be read.",
    effect: "read",
    private: true,
    timeoutMs: 30_000,
    input: z.object({
      artifact: z.string().min(1).describe("Its id, or its name: then the newest of that name"),
      offset: z.int().min(0).optional().describe("The character to begin with; 0 unless set"),
      limit: z.int().min(1).max(MAX_WINDOW_CHARS).optional().describe("How many characters to read; 10000 unless set"),
    }),
    run: async ({ artifact, offset, limit }, { workspaceId }) => {
      const found = await getArtifact(artifacts, workspaceId, artifact);
      const content = await artifacts.read(workspaceId, found.id);
      if (content === undefined)
        throw new InvalidInput(`The file ${JSON.stringify(found.name)} was deleted`, { code: "not_found" });
      const text = decode(content);
      return text === undefined
        ? `(${found.name} is a file of type ${found.mediaType} with ${found.bytes} bytes; it is not text and cannot be read here)`
        : showWindow(text, { offset, limit });
    },
  });
}

function decode(content: Buffer): string | undefined {
  if (content.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}
