import { z } from "zod";
import { secret, text, webUrl } from "./fields.ts";

const MB = 1_000_000;

/** `artifacts`: files the bot makes. */
export const artifacts = z
  .strictObject({
    max_bytes: z
      .int()
      .min(1)
      .max(50 * MB)
      .default(5 * MB)
      .describe("The largest file, in bytes."),
    quota_bytes: z
      .int()
      .min(1)
      .max(10_000 * MB)
      .default(50 * MB)
      .describe("What all files of one person may take together, in bytes."),
    quota_files: z.int().min(1).max(2_000).default(200).describe("How many files one person may have."),
    keep_days: z.int().min(1).max(3_650).default(90).describe("Days after which a file is deleted by itself."),
    link_hours: z
      .int()
      .min(1)
      .max(720)
      .default(24)
      .describe("Hours a link to one file works at least; it stops before twice that time is over."),
  })
  .prefault({})
  .describe("Files the bot makes and sends to the chat. See docs/artifacts.md.");

/** `attachments`: files people send. */
export const attachments = z
  .strictObject({
    max_files: z.int().min(0).max(20).default(10).describe("The most files with one message."),
    max_bytes: z
      .int()
      .min(1)
      .max(25 * MB)
      .default(5 * MB)
      .describe("The largest file, in bytes."),
    max_request_bytes: z
      .int()
      .min(MB)
      .max(100 * MB)
      .default(20 * MB)
      .describe(
        "The largest request that sends a message with its files, in bytes; in base64 a file is a third longer.",
      ),
    quota_bytes: z
      .int()
      .min(1)
      .max(10_000 * MB)
      .default(100 * MB)
      .describe("What is kept of one person's files until they are read, in bytes; the oldest make room."),
    text_chars: z
      .int()
      .min(100)
      .max(1_000_000)
      .default(40_000)
      .describe("The most characters of one file that the model gets to read."),
    transcription: z
      .strictObject({
        url: webUrl()
          .describe("The base of an OpenAI-compatible API; the call is `POST <url>/audio/transcriptions`.")
          .exactOptional(),
        api_key: secret("The key sent to that API as a bearer token.").exactOptional(),
        model: text().default("whisper-1").describe("The model that writes down what is said."),
      })
      .prefault({})
      .describe("What turns recordings into text. Without a URL the model is told that nobody listened."),
  })
  .prefault({})
  .describe("Files people send. See docs/artifacts.md.");
