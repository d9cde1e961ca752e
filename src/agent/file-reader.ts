import { describeError, InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { Attachment, InboundMessage } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import type { StepContext } from "../engine/run.ts";
import type { Extract } from "../files/extract.ts";
import { decodeFile, kindOf, type FileKind } from "../files/kinds.ts";
import type { transcribe, TranscriptionTarget } from "../files/transcribe.ts";
import type { ResultStore } from "../store/results.ts";
import type { UploadStore } from "../store/uploads.ts";
import type { Download } from "../tools/safe-fetch.ts";
import { cutWithReference } from "../tools/result.ts";
import type { FileOutcome } from "./steps.ts";

export interface FileReaderParts {
  readonly uploads: Pick<UploadStore, "keep" | "read">;
  readonly results: Pick<ResultStore, "keep">;
  readonly extract: Extract;
  readonly transcribe: typeof transcribe;
  /** Fetches a file from a public address. */
  readonly download: Download;
  /** Fetches a file from the platform its message came from. */
  readonly fetchFromPlatform: FetchFromPlatform;
  readonly settings: () => {
    readonly maxBytes: number;
    /** The most characters of all files of one message that the model gets to read. */
    readonly textChars: number;
    /** Whether the model takes images. */
    readonly vision: boolean;
    readonly transcription: TranscriptionTarget | undefined;
  };
  readonly clock: Clock;
}

/** Fetches what a platform calls `ref`. Throws `OutsideError`. */
export type FetchFromPlatform = (
  file: { readonly conversationId: ConversationId; readonly ref: string },
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
) => Promise<{ readonly content: Uint8Array; readonly mimeType?: string; readonly more: boolean }>;

/** Looks at a file a person sent and says what became of it. */
export interface FileReader {
  /**
   * One try. Throws `OutsideError` for a failure that may pass, and an abort; everything else is an outcome. `reader` is
   * the person whose model may read on in what is too long.
   */
  read(
    from: { readonly message: InboundMessage; readonly file: Attachment; readonly reader: WorkspaceId },
    step: StepContext,
  ): Promise<FileOutcome>;
}

/** Tries of something outside that may pass; then the file counts as one that could not be read. */
const TRIES = 3;
/** How much of a document is taken out of it at most; the model reads on beyond what it is shown. */
const MAX_EXTRACTED_CHARS = 2_000_000;

/** Builds the reader. */
export function createFileReader(parts: FileReaderParts): FileReader {
  const { uploads, results, extract, clock, settings } = parts;

  interface Fetched {
    readonly content: Buffer;
    readonly upload: string;
    readonly mimeType: string;
  }

  async function fetchContent(
    message: InboundMessage,
    file: Attachment,
    signal: AbortSignal,
  ): Promise<Fetched | FileOutcome> {
    const { workspaceId, conversationId, id } = message;
    if (file.upload !== undefined) {
      const content = await uploads.read(workspaceId, file.upload);
      if (content === undefined) return failed("it is no longer kept; please send it again");
      return { content, upload: file.upload, mimeType: file.mimeType };
    }
    if (file.url === undefined && file.ref === undefined) return failed("nothing came with its name");
    const { maxBytes } = settings();
    const fetched = await fetchElsewhere(file, conversationId, { maxBytes, signal });
    if (fetched.more) return { state: "too-large", reason: `more than ${maxBytes} bytes` };
    const content = Buffer.from(fetched.content);
    const index = message.attachments?.indexOf(file) ?? 0;
    const upload = await uploads.keep(workspaceId, { conversationId, messageId: id, index, content });
    if (upload === undefined) return { state: "too-large", reason: "it does not fit into what is kept for a person" };
    return {
      content,
      upload,
      mimeType:
        fetched.mimeType === undefined || fetched.mimeType === "application/octet-stream"
          ? file.mimeType
          : fetched.mimeType,
    };
  }

  async function fetchElsewhere(
    { ref, url = "" }: Attachment,
    conversationId: ConversationId,
    limits: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): ReturnType<FetchFromPlatform> {
    if (ref !== undefined) return parts.fetchFromPlatform({ conversationId, ref }, limits);
    const { bytes, ...fetched } = await parts.download(url, limits);
    return { ...fetched, content: bytes };
  }

  async function textOf(
    kind: Exclude<FileKind, { readonly kind: "image" | "false" | "unknown" }>,
    { content, name, signal }: { readonly content: Buffer; readonly name: string; readonly signal: AbortSignal },
  ): Promise<{ readonly text: string; readonly note?: string } | FileOutcome> {
    switch (kind.kind) {
      case "text":
        return { text: decodeFile(content) };
      case "document": {
        const job = { format: kind.format, bytes: content, maxChars: MAX_EXTRACTED_CHARS };
        const found = await extract(job, signal);
        if (found.kind === "failed") return failed(found.reason);
        return { text: found.text, ...(found.cut === undefined ? {} : { note: found.cut }) };
      }
      case "audio": {
        const target = settings().transcription;
        if (target === undefined)
          return { state: "unsupported", reason: "nothing is set up here that listens to recordings" };
        const recording = { name, mimeType: kind.mimeType, content };
        const text = await parts.transcribe(recording, target, { signal, clock });
        return text.trim() === "" ? failed("nothing is said in it") : { text, note: "written down by a machine" };
      }
    }
  }

  async function look(
    { message, file, reader }: Parameters<FileReader["read"]>[0],
    { key, signal }: StepContext,
  ): Promise<FileOutcome> {
    const fetched = await fetchContent(message, file, signal);
    if ("state" in fetched) return fetched;
    const { content, upload } = fetched;
    const kind = kindOf(content, fetched.mimeType, file.name);
    const about = { bytes: content.length, mimeType: "mimeType" in kind ? kind.mimeType : fetched.mimeType };
    if (kind.kind === "false") return { ...about, ...failed(`it is not what its type says`) };
    if (kind.kind === "unknown")
      return { ...about, state: "unsupported", reason: "it is neither text nor a known document" };
    if (kind.kind === "image")
      return settings().vision
        ? { ...about, upload, state: "shown" }
        : { ...about, state: "unsupported", reason: "the model in use cannot see images" };
    const found = await textOf(kind, { content, name: file.name, signal });
    if ("state" in found) return { ...about, ...found };
    const room = Math.floor(settings().textChars / Math.max(1, message.attachments?.length ?? 1));
    const text = found.text.toWellFormed();
    if (text.length <= room)
      return { ...about, state: "read", ...(found.note === undefined ? {} : { reason: found.note }), text };
    const { reference, chars } = await results.keep(reader, { key, text });
    const notes = [
      `its first part, ${room} of ${text.length} characters`,
      ...(found.note === undefined ? [] : [found.note]),
    ];
    return {
      ...about,
      state: "read",
      reason: notes.join("; "),
      text: cutWithReference(text, room, { reference, keptChars: chars }),
    };
  }

  return {
    async read(from, step) {
      try {
        return await look(from, step);
      } catch (error) {
        step.signal.throwIfAborted();
        const mayPass = error instanceof OutsideError && error.retry.kind === "after";
        if (mayPass && step.attempt < TRIES) throw error;
        if (!(error instanceof OutsideError) && !(error instanceof InvalidInput)) throw error;
        return failed(describeError(error));
      }
    },
  };
}

function failed(reason: string): FileOutcome {
  return { state: "failed", reason };
}
