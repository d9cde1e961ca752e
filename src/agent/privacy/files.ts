import type { PersonalData } from "../../kernel/personal-data.ts";
import type { ArtifactStore } from "../../store/artifacts.ts";
import type { ResultStore } from "../../store/results.ts";
import type { UploadStore } from "../../store/uploads.ts";

/** The files made for a person, and what is kept for a while of those they sent and of long results. */
export function createFileData({
  artifacts,
  uploads,
  results,
}: {
  readonly artifacts: Pick<ArtifactStore, "list" | "eraseArtifacts">;
  readonly uploads: Pick<UploadStore, "eraseUploads">;
  readonly results: Pick<ResultStore, "eraseResults">;
}): PersonalData {
  return {
    name: "artifacts",
    async collect(person) {
      return (await artifacts.list(person)).map(({ id, name, mediaType, bytes, createdAt, endsAt }) => ({
        id,
        name,
        media_type: mediaType,
        bytes,
        at: new Date(createdAt).toISOString(),
        ends_at: new Date(endsAt).toISOString(),
      }));
    },
    async count({ persons }) {
      const lists = await Promise.all(persons.map((person) => artifacts.list(person)));
      return { files: lists.reduce((sum, list) => sum + list.length, 0) };
    },
    async erase({ persons }) {
      for (const person of persons) {
        await artifacts.eraseArtifacts(person);
        await uploads.eraseUploads(person);
        await results.eraseResults(person);
      }
      return { counts: {} };
    },
  };
}
