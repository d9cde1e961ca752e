import type { FileRef } from "../kernel/messages.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { PlatformNotes } from "./notes.ts";

/** What every adapter is given. */
export interface AdapterParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly notes: PlatformNotes;
  /** The content of a file the bot sends; undefined when it is no longer kept. */
  readFile(file: FileRef): Promise<Buffer | undefined>;
}
