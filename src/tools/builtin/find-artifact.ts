import { InvalidInput } from "../../kernel/errors.ts";
import type { WorkspaceId } from "../../kernel/ids.ts";
import type { Artifact, ArtifactStore } from "../../store/artifacts.ts";

/** The artifact with this id, else the newest with this name. Throws `InvalidInput` when there is none. */
export async function getArtifact(
  artifacts: Pick<ArtifactStore, "find" | "list">,
  workspaceId: WorkspaceId,
  idOrName: string,
): Promise<Artifact> {
  const found =
    (await artifacts.find(workspaceId, idOrName)) ??
    (await artifacts.list(workspaceId)).findLast(({ name }) => name === idOrName.normalize("NFC"));
  if (found !== undefined) return found;
  throw new InvalidInput(
    `There is no file ${JSON.stringify(idOrName.slice(0, 200))}; artifact_list shows what there is`,
    {
      code: "not_found",
    },
  );
}
