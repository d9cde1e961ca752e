import type { View } from "@slack/types";
import { z } from "zod";
import type { ApprovalCard } from "../../kernel/messages.ts";
import { slackFlavour } from "../render/slack.ts";
import { cut, SECTION_LIMIT } from "./blocks.ts";

/** Slack's name of our dialog, and of the choice in it. */
export const DIALOG = "parley_approval";
export const DECISION = "parley_decision";

const stateSchema = z.object({
  channel: z.string(),
  thread: z.string().optional(),
  /** The message with the buttons. */
  ts: z.string(),
  /** The tokens of its two buttons. */
  yes: z.string(),
  no: z.string(),
});
export type DialogState = z.infer<typeof stateSchema>;

/** What the dialog was opened for, as it comes back with the decision. */
export const dialogStateSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue("not JSON");
      return z.NEVER;
    }
  })
  .pipe(stateSchema);

/** Slack takes at most 100 blocks; the rest of them is for what stands around the arguments. */
const MOST_SECTIONS = 90;

/** The dialog with the exact arguments of a call, and the decision about it. */
export function approvalDialog(card: ApprovalCard, state: DialogState): View {
  const fence = (text: string) => `\`\`\`\n${text}\n\`\`\``;
  const pieces = cut(slackFlavour.escapeCode(card.arguments), SECTION_LIMIT - fence("").length);
  const shown = pieces.slice(0, MOST_SECTIONS);
  return {
    type: "modal",
    callback_id: DIALOG,
    private_metadata: JSON.stringify(state),
    title: { type: "plain_text", text: "Approve this?" },
    submit: { type: "plain_text", text: "Send" },
    close: { type: "plain_text", text: "Not now" },
    blocks: [
      section(`*${slackFlavour.escape(card.tool)}*\n${slackFlavour.escape(card.reason)}`.slice(0, SECTION_LIMIT)),
      ...shown.map((piece) => section(fence(piece))),
      ...(pieces.length > shown.length ? [section("_There is more than fits here._")] : []),
      {
        type: "input",
        block_id: DECISION,
        label: { type: "plain_text", text: "Your decision" },
        element: {
          type: "radio_buttons",
          action_id: DECISION,
          options: [
            { text: { type: "plain_text", text: "Approve" }, value: "yes" },
            { text: { type: "plain_text", text: "Deny" }, value: "no" },
          ],
        },
      },
    ],
  };
}

/** What the dialog shows once the decision is in. */
export function noticeDialog(notice: string): View {
  return {
    type: "modal",
    title: { type: "plain_text", text: "Thank you" },
    close: { type: "plain_text", text: "Close" },
    blocks: [section(slackFlavour.escape(notice))],
  };
}

const section = (text: string) => ({ type: "section" as const, text: { type: "mrkdwn" as const, text } });
