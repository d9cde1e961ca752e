import { z } from "zod";

/** `context`: what the model gets to read of a conversation besides its newest messages. */
export const context = z
  .strictObject({
    summary: z
      .enum(["on", "off"])
      .default("on")
      .describe(
        "Whether the model keeps a running summary of what no longer fits. The messages themselves stay where they are; only what the model reads is shortened.",
      ),
    summary_share: z
      .number()
      .min(0.2)
      .max(1)
      .default(0.8)
      .describe(
        "How much of `ai.history_messages` or `ai.history_tokens` may be filled by messages no summary covers, before the older of them are summarised.",
      ),
    summary_tokens: z
      .int()
      .min(50)
      .max(20_000)
      .default(500)
      .describe("The longest summary, in tokens; never more than a quarter of `ai.history_tokens`."),
  })
  .prefault({})
  .describe("What the model gets to read of a conversation besides its newest messages.");

/** `platform_hints`: what the model is told about where its answer is read. */
export const platformHints = z
  .strictObject({
    web: hint(
      "the web page",
      "Your answer is shown on a web page that renders Markdown: lists, tables, links and code blocks are fine.",
    ),
    terminal: hint(
      "a terminal",
      "Your answer is shown in a terminal as plain text: keep markup light and lines short.",
    ),
    slack: hint(
      "Slack",
      "Your answer is shown in Slack: short paragraphs and lists read well, headings become bold lines, wide tables do not fit.",
    ),
    discord: hint(
      "Discord",
      "Your answer is shown in Discord: Markdown works except for tables, which become code blocks. Answers above 2,000 characters are split over several messages.",
    ),
    telegram: hint(
      "Telegram",
      "Your answer is shown in Telegram, mostly on a phone: bold, italics, links and code work, headings and tables do not. Keep it short.",
    ),
    api: hint("the API", ""),
  })
  .prefault({})
  .describe("One or two sentences for the model about where its answer is read. An empty text says nothing.");

function hint(place: string, text: string) {
  return z.string().max(1000).default(text).describe(`What the model is told when its answer is read in ${place}.`);
}
