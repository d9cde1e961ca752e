/** What a file is, by what is in it; its name and its declared type only help where the content leaves it open. */
export type FileKind =
  | { readonly kind: "image"; readonly mimeType: string }
  | { readonly kind: "audio"; readonly mimeType: string }
  | { readonly kind: "text" }
  | { readonly kind: "document"; readonly format: DocumentFormat }
  /** Says that it is one thing and is not. */
  | { readonly kind: "false"; readonly claimed: string }
  | { readonly kind: "unknown" };

/** Documents that need more than decoding to be read. */
export type DocumentFormat = "pdf" | "office" | "html";

/** Tells what a file is. Pure; looks at no more than its beginning, and for text at all of it. */
export function kindOf(content: Uint8Array, declared: string, name: string): FileKind {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const image = imageType(bytes);
  if (image !== undefined) return { kind: "image", mimeType: image };
  if (bytes.subarray(0, 1024).includes("%PDF-")) return { kind: "document", format: "pdf" };
  if (bytes.subarray(0, 4).equals(ZIP)) return { kind: "document", format: "office" };
  const audio = audioType(bytes, declared);
  if (audio !== undefined) return { kind: "audio", mimeType: audio };
  const claimed = CLAIMS.find((claim) => declared === claim || (claim.endsWith("/") && declared.startsWith(claim)));
  if (claimed !== undefined && declared !== "image/svg+xml") return { kind: "false", claimed: declared };
  if (!isText(bytes)) return { kind: "unknown" };
  const looksLikeHtml = /^\s*(<!doctype html|<html)/i.test(bytes.subarray(0, 200).toString("latin1"));
  if (looksLikeHtml || declared === "text/html" || /\.html?$/i.test(name)) return { kind: "document", format: "html" };
  return { kind: "text" };
}

/** Reads a text in UTF-8, UTF-16 with its mark, or else in the encoding of old Windows programs. Pure. */
export function decodeFile(content: Uint8Array): string {
  const [first, second] = content;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(content);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(content);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return new TextDecoder("windows-1252").decode(content);
  }
}

const ZIP = Buffer.from("PK\u0003\u0004", "latin1");

/** Types that would have been recognised by their content. */
const CLAIMS = ["image/", "audio/", "video/", "application/pdf", "application/zip"];

const PNG = Buffer.from("\u0089PNG\r\n\u001a\n", "latin1");

function imageType(bytes: Buffer): string | undefined {
  if (bytes.subarray(0, 8).equals(PNG)) return "image/png";
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg";
  const begin = bytes.toString("latin1", 0, 12);
  if (/^GIF8[79]a/.test(begin)) return "image/gif";
  return /^RIFF.{4}WEBP$/s.test(begin) ? "image/webp" : undefined;
}

function audioType(bytes: Buffer, declared: string): string | undefined {
  const begin = bytes.toString("latin1", 0, 12);
  if (begin.startsWith("ID3") || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe6) === 0xe2)) return "audio/mpeg";
  if (begin.startsWith("OggS")) return "audio/ogg";
  if (begin.startsWith("fLaC")) return "audio/flac";
  if (/^RIFF.{4}WAVE$/s.test(begin)) return "audio/wav";
  // These two hold films as well; the sender says which it is.
  if (begin.startsWith("ftyp", 4) && !declared.startsWith("video/")) return "audio/mp4";
  if (begin.startsWith("\u001aE\u00df\u00a3") && !declared.startsWith("video/")) return "audio/webm";
  return undefined;
}

function isText(bytes: Buffer): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  if (bytes.includes(0)) return false;
  // Control characters that no text has give other formats away.
  const odd = bytes.subarray(0, 4096).filter((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27)).length;
  return odd === 0;
}
