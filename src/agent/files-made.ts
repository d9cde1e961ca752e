import { z } from "zod";
import { fileSchema, type FileRef } from "../kernel/messages.ts";
import type { RunRecord } from "./runs.ts";

/** The files a run made for the chat, in the order in which their calls were recorded, each once. */
export function filesMade(run: Pick<RunRecord, "entries">): readonly FileRef[] {
  const files = new Map<string, FileRef>();
  for (const entry of run.entries) {
    if (entry.kind !== "step") continue;
    const { value } = entry.outcome;
    // Nearly no step makes a file; a failed parse of every reply would cost more than all the rest.
    if (typeof value !== "object" || value === null || !("files" in value)) continue;
    for (const file of z.array(fileSchema).safeParse(value.files).data ?? []) files.set(file.artifact_id, file);
  }
  return [...files.values()];
}
