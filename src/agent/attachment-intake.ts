import type { ConversationId, MessageId, WorkspaceId } from "../kernel/ids.ts";
import type { Attachment } from "../kernel/messages.ts";
import type { UploadStore } from "../store/uploads.ts";

/** A file as it arrives, or where it can be fetched: a public address, or the platform the message came from. */
export type IncomingFile = { readonly name: string; readonly mimeType: string } & (
  | { readonly content: Uint8Array }
  | { readonly url: string }
  | { readonly ref: string; readonly bytes: number }
);

/** Takes the files of a message in before the message itself is kept. Platforms and the API use it. */
export interface AttachmentIntake {
  /**
   * Keeps what is to be kept and says what the message should hold. Never refuses: a file that is too large or one too
   * many becomes an attachment whose state says so. Safe to repeat for the same message.
   */
  take(
    message: {
      readonly workspaceId: WorkspaceId;
      readonly conversationId: ConversationId;
      readonly id: MessageId;
    },
    files: readonly IncomingFile[],
  ): Promise<Attachment[]>;
  /** The longest request that may carry a message with its files, in bytes. */
  maxRequestBytes(): number;
}

/** Builds the intake over the store of uploads. */
export function createAttachmentIntake(parts: {
  readonly uploads: Pick<UploadStore, "keep">;
  /** Whose workspace an account stands for: the message will be read there. */
  readonly resolve: (account: WorkspaceId) => Promise<WorkspaceId>;
  readonly limits: () => { readonly maxFiles: number; readonly maxBytes: number; readonly maxRequestBytes: number };
}): AttachmentIntake {
  const { uploads, resolve, limits } = parts;
  return {
    async take({ workspaceId: account, conversationId, id }, files) {
      const workspaceId = await resolve(account);
      const { maxFiles, maxBytes } = limits();
      const taken: Attachment[] = [];
      for (const [index, file] of files.entries()) {
        const about = { name: readableName(file.name), mimeType: readableType(file.mimeType) };
        const bytes = "content" in file ? file.content.length : "bytes" in file ? file.bytes : 0;
        if (index >= maxFiles)
          taken.push({
            ...about,
            bytes,
            state: "failed",
            reason: `at most ${maxFiles} files are taken with a message`,
          });
        else if ("url" in file) taken.push({ ...about, bytes, url: file.url, state: "received" });
        else if (bytes > maxBytes)
          taken.push({ ...about, bytes, state: "too-large", reason: `${bytes} bytes; at most ${maxBytes} are taken` });
        else if ("ref" in file) taken.push({ ...about, bytes, ref: file.ref, state: "received" });
        else {
          const upload = await uploads.keep(workspaceId, {
            conversationId,
            messageId: id,
            index,
            content: file.content,
          });
          taken.push(
            upload === undefined
              ? { ...about, bytes, state: "too-large", reason: "it does not fit into what is kept for a person" }
              : { ...about, bytes, upload, state: "received" },
          );
        }
      }
      return taken;
    },
    maxRequestBytes: () => limits().maxRequestBytes,
  };
}

const MAX_NAME_CHARS = 200;

/** It is only shown, to people and to the model, on a line of its own: nothing in it may look like the end of that line. */
function readableName(name: string): string {
  const plain = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029"\\/]/gu, "_")
    .trim();
  return plain === "" ? "unnamed" : plain.slice(0, MAX_NAME_CHARS).toWellFormed();
}

function readableType(type: string): string {
  const plain = type.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/.test(plain) ? plain : "application/octet-stream";
}
