import OpenAI, { toFile } from "openai";
import { describeError, OutsideError } from "../kernel/errors.ts";
import type { Clock } from "../kernel/ports.ts";
import type { Secret } from "../kernel/secret.ts";
import { classify, classifyConnection } from "../models/classify.ts";
import { createRedact } from "../models/redact.ts";
import { openaiOptions } from "../models/openai-options.ts";

/** Where recordings are turned into text. */
export interface TranscriptionTarget {
  /** The OpenAI-compatible base; the call is `POST {url}/audio/transcriptions`. */
  readonly url: string;
  readonly apiKey?: Secret | undefined;
  readonly model: string;
}

const TIMEOUT_MS = 120_000;

/** Asks once for the words of a recording. Throws `OutsideError`, whose words hold no key. */
export async function transcribe(
  recording: { readonly name: string; readonly mimeType: string; readonly content: Uint8Array },
  target: TranscriptionTarget,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Pick<Clock, "now"> },
): Promise<string> {
  const key = target.apiKey?.reveal() ?? "";
  const redact = createRedact([key]);
  const http = new OpenAI({
    ...openaiOptions(target.url, key),
    timeout: TIMEOUT_MS,
  });
  try {
    const file = await toFile(recording.content, fileName(recording), { type: recording.mimeType });
    const answer: unknown = await http.audio.transcriptions.create({ file, model: target.model }, { signal });
    if (typeof answer === "object" && answer !== null && "text" in answer && typeof answer.text === "string")
      return answer.text;
  } catch (error) {
    signal.throwIfAborted();
    const status: unknown = error instanceof OpenAI.APIError ? error.status : undefined;
    const message = redact(describeError(error)).slice(0, 300);
    const verdict =
      typeof status === "number" ? classify({ status, body: message }, clock.now()) : classifyConnection(error);
    throw new OutsideError(`The transcription failed: ${message}`, verdict);
  }
  throw new OutsideError("The transcription's answer holds no text", { code: "garbled" });
}

/** Servers tell the format by the ending of the name. */
function fileName({ name, mimeType }: { readonly name: string; readonly mimeType: string }): string {
  const ending = ENDINGS[mimeType];
  return ending === undefined || name.toLowerCase().endsWith(`.${ending}`) ? name : `${name}.${ending}`;
}

const ENDINGS: Readonly<Record<string, string>> = {
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/wav": "wav",
  "audio/webm": "webm",
  "audio/ogg": "ogg",
  "audio/flac": "flac",
};
