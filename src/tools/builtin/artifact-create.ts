import { z } from "zod";
import { InvalidInput } from "../../kernel/errors.ts";
import type { ArtifactStore } from "../../store/artifacts.ts";
import type { Tool } from "../contract.ts";
import { defineTool, withFiles } from "../define.ts";

/** `artifact_create`: makes a file, which goes to the chat with the answer. */
export function artifactCreateTool(artifacts: Pick<ArtifactStore, "create">): Tool {
  return defineTool({
    name: "artifact_create",
    description:
      "Makes a file for this person and sends it to the chat together with your answer. " +
      "Use it for anything they will want to keep or open elsewhere: reports, tables, code, pictures.",
    effect: "idempotent",
    trusted: true,
    timeoutMs: 60_000,
    input: z.object({
      name: z.string().describe("File name with its ending, for example report.md; no folders"),
      content: z.string().describe("What is in the file: the text itself, or base64"),
      encoding: z.enum(["text", "base64"]).optional().describe("base64 for anything that is not text; text unless set"),
      media_type: z.string().optional().describe("For example text/csv; found by the ending of the name unless set"),
    }),
    run: async ({ name, content, encoding = "text", media_type: mediaType }, context) => {
      const { workspaceId, conversationId, runId, idempotencyKey } = context;
      const made = await artifacts.create(workspaceId, {
        key: idempotencyKey,
        name,
        mediaType,
        content: encoding === "base64" ? parseBase64(content) : Buffer.from(content.toWellFormed()),
        runId,
        conversationId,
      });
      const file = { name: made.name, media_type: made.mediaType, bytes: made.bytes };
      return withFiles({ id: made.id, ...file, sent: "with your answer" }, [
        { artifact_id: made.id, ...file, user_id: workspaceId },
      ]);
    },
  });
}

// The decoder of the platform takes anything and leaves out what it does not know.
function parseBase64(text: string): Buffer {
  const plain = text.replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain) || plain.replace(/=+$/, "").length % 4 === 1)
    throw new InvalidInput("content is not base64", { code: "invalid_arguments" });
  return Buffer.from(plain, "base64");
}
