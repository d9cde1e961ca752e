import { InputFile } from "grammy";
import type { FileRef } from "../../kernel/messages.ts";
import { telegramFlavour } from "../render/telegram.ts";

export type ReadFile = (file: FileRef) => Promise<Buffer | undefined>;

/** A file as it is sent, or what is said in its place. */
export type PreparedFile =
  | { readonly kind: "file"; readonly as: "photo" | "document"; readonly content: () => InputFile }
  | { readonly kind: "told"; readonly html: string };

const MB = 1_000_000;
const MAX_FILE = 50 * MB;
const MAX_PHOTO = 10 * MB;
const PHOTOS: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/webp"]);

/** Reads a file of an answer. What cannot be sent is said in words, so that nobody waits for it. */
export async function prepareFile(file: FileRef, readFile: ReadFile): Promise<PreparedFile> {
  const name = telegramFlavour.escape(file.name);
  if (file.bytes > MAX_FILE)
    return {
      kind: "told",
      html: `The file ${name} is too large for Telegram: ${Math.ceil(file.bytes / MB)} MB, and bots may send 50 MB.`,
    };
  const content = await readFile(file);
  if (content === undefined)
    return { kind: "told", html: `The file ${name} is not kept any more, so it was not sent.` };
  const isPhoto = PHOTOS.has(file.media_type) && content.length <= MAX_PHOTO;
  return {
    kind: "file",
    as: isPhoto ? "photo" : "document",
    // The library writes the name into a header as it is, and a file can be read once.
    content: () => new InputFile(content, file.name.replaceAll(/[\p{Cc}";\\]/gu, "_")),
  };
}
