import type { IncomingRef } from "../listening.ts";
import type { TelegramMessage } from "./update-schema.ts";

/** The files of a message. `ref` is Telegram's file id: it names the file for this bot and opens nothing by itself. */
export function incomingFiles(message: TelegramMessage): readonly IncomingRef[] {
  const { message_id: id, photo, animation, document, audio, video, video_note: note, voice } = message;
  const largest = photo?.toSorted((a, b) => b.width * b.height - a.width * a.height)[0];
  return [
    fileOf(largest, `photo-${id}.jpg`, "image/jpeg"),
    // An animation comes as a document too, for old programs.
    fileOf(animation ?? document, `file-${id}`, "application/octet-stream"),
    fileOf(audio, `audio-${id}.mp3`, "audio/mpeg"),
    fileOf(video, `video-${id}.mp4`, "video/mp4"),
    fileOf(note, `video-note-${id}.mp4`, "video/mp4"),
    fileOf(voice, `voice-${id}.ogg`, "audio/ogg"),
  ].filter((file) => file !== undefined);
}

function fileOf(file: TelegramMessage["document"], name: string, mimeType: string): IncomingRef | undefined {
  if (file === undefined) return undefined;
  return {
    name: file.file_name ?? name,
    mimeType: file.mime_type ?? mimeType,
    bytes: file.file_size ?? 0,
    ref: file.file_id,
  };
}
