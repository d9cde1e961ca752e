import { z } from "zod";
import { text } from "./fields.ts";

const globs = (what: string) =>
  z.array(text().max(200)).min(1).max(200).describe(`${what}; \`*\` stands for any text.`).exactOptional();

const rule = z
  .strictObject({
    tool: text()
      .max(200)
      .describe("The tool's name; `*` stands for any text, as in `github.*`. Every tool unless set.")
      .exactOptional(),
    effect: z.enum(["read", "idempotent", "once"]).describe("What repeating a call does.").exactOptional(),
    arguments: z
      .record(text().max(200), z.union([z.string().max(1000), z.number(), z.boolean()]))
      .describe("Arguments by name: the exact number, true or false, or text in which `*` stands for any text.")
      .exactOptional(),
    users: globs("For whom the call is made, by user id"),
    conversations: globs("In which conversations"),
    decision: z.enum(["ask", "allow", "deny"]).describe("`ask` the person, `allow` the call unasked, or `deny` it."),
  })
  .describe("What is absent fits everything.");

/** `approvals`: which calls of tools a person must approve first. */
export const approvals = z
  .strictObject({
    expire_s: z
      .number()
      .min(1)
      .max(30 * 86_400)
      .default(3600)
      .describe("Seconds an approval waits for an answer; then the call is not made."),
    untrusted_once: z
      .enum(["ask", "allow"])
      .default("ask")
      .describe(
        "What happens with a call that cannot be undone and sends data out, when the model has read text from outside: web pages, files, results of tools, other people's messages.",
      ),
    rules: z
      .array(rule)
      .max(500)
      .default([])
      .describe(
        "A list of `{ tool, effect, arguments, users, conversations, decision }`; the first that fits a call counts, before the tool's own `approval`. See docs/approvals.md.",
      ),
  })
  .prefault({})
  .describe("Which calls of tools a person approves before they are made.");
