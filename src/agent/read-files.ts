import { describeError } from "../kernel/errors.ts";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { Log } from "../kernel/ports.ts";
import { StepFailed } from "../engine/errors.ts";
import type { Run } from "../engine/run.ts";
import type { ImagePart } from "../models/contract.ts";
import type { UploadStore } from "../store/uploads.ts";
import { openFiles, showableAttachment, type OpenFile } from "./attachments.ts";
import type { FileReader } from "./file-reader.ts";
import { conversationOf } from "./lanes-of.ts";
import type { Live } from "./live.ts";
import { inboundOfRun, messagesOf, readRun, stepsByName } from "./runs.ts";

export interface ReadFilesParts {
  readonly files: FileReader;
  readonly uploads: Pick<UploadStore, "read" | "drop">;
  readonly live: Live;
  readonly log: Log;
}

/** Looks at every file of the run's messages that was not looked at yet, each in a step of its own, and tells watchers. */
export async function readFiles(run: Run, reader: WorkspaceId, parts: ReadFilesParts): Promise<void> {
  const record = readRun(run.id, run.entries);
  const open = openFiles(inboundOfRun(record), stepsByName(record));
  if (open.length === 0) return;
  const conversation = conversationOf(run.lane);
  const label = open.length === 1 ? `Reading ${open[0]?.file.name}` : `Reading ${open.length} files`;
  parts.live.tell(conversation, { type: "run.progress", run_id: run.id, step: open[0]?.step ?? "", label });
  await Promise.all(open.map((each) => readFile(run, reader, each, parts)));
  const read = messagesOf(readRun(run.id, run.entries));
  for (const id of new Set(open.map(({ message }) => message.id)))
    parts.live.tell(conversation, {
      type: "message.files",
      message_id: id,
      attachments: (read.find((message) => message.id === id)?.attachments ?? []).map(showableAttachment),
    });
}

async function readFile(run: Run, reader: WorkspaceId, { step, message, file }: OpenFile, parts: ReadFilesParts) {
  try {
    const outcome = await run.step(step, (context) => parts.files.read({ message, file, reader }, context));
    // What it says is in the journal now. An image is needed for as long as the run asks the model.
    if (file.upload !== undefined && outcome.state !== "shown")
      await parts.uploads.drop(message.workspaceId, file.upload).catch((error: unknown) => {
        parts.log.warn({ error: describeError(error) }, "a file that was read could not be deleted; it ends by itself");
      });
  } catch (error) {
    // The failure stands in the journal, where the model's next context finds it.
    if (!(error instanceof StepFailed)) throw error;
  }
}

/** The images of the run's own messages that the model is to see, by the id of their upload. Those that are gone are left out. */
export async function loadImages(
  run: Run,
  { uploads }: Pick<ReadFilesParts, "uploads">,
): Promise<ReadonlyMap<string, ImagePart>> {
  const images = new Map<string, ImagePart>();
  for (const { workspaceId, attachments = [] } of messagesOf(readRun(run.id, run.entries)))
    for (const { name, state, upload, mimeType } of attachments) {
      if (state !== "shown" || upload === undefined) continue;
      const content = await uploads.read(workspaceId, upload);
      if (content !== undefined) images.set(upload, { name, mimeType, base64: content.toString("base64") });
    }
  return images;
}
