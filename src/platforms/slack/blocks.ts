import type { ActionsBlock, KnownBlock } from "@slack/types";
import type { OutboundMessage } from "../../kernel/messages.ts";
import type { Button, Part } from "../contract.ts";
import { renderMarkdown } from "../render/render.ts";
import { slackFlavour } from "../render/slack.ts";

/** Slack's limit for the text of one section. */
export const SECTION_LIMIT = 3_000;

// A message that has to be shown as a section, with buttons or in place of a preview, must fit into one.
const flavour = { ...slackFlavour, limit: SECTION_LIMIT };

/** Markdown as messages in Slack's own markup. Pure. */
export function renderForSlack(message: OutboundMessage): readonly string[] {
  return renderMarkdown(message.text, flavour);
}

/** What our buttons are called in what Slack sends; the number keeps them apart, as Slack wants it. */
const PRESS = "parley_press_";
export const DETAILS = "parley_details";

const BUTTONS_IN_A_ROW = 25;
const LABEL_LIMIT = 75;

/** The text and the buttons of a part as blocks. `plain` leaves the markup to nobody: it is shown as it is written. */
export function blocksOf(part: Pick<Part, "text" | "buttons" | "kind">, plain: boolean): KnownBlock[] {
  const text = plain
    ? { type: "plain_text" as const, text: part.text }
    : { type: "mrkdwn" as const, text: part.text, verbatim: true };
  return [...(part.text === "" ? [] : [{ type: "section" as const, text, expand: true }]), ...rows(part)];
}

function rows({ buttons, kind }: Pick<Part, "buttons" | "kind">): ActionsBlock[] {
  const elements: ActionsBlock["elements"] = buttons.map((button, index) => ({
    type: "button",
    action_id: `${PRESS}${index}`,
    value: button.token,
    text: { type: "plain_text", text: label(button), emoji: false },
    ...STYLES[button.style],
  }));
  const yes = buttons.find(({ style }) => style === "yes");
  const no = buttons.find(({ style }) => style === "no");
  if (kind === "approval" && yes !== undefined && no !== undefined)
    elements.push({
      type: "button",
      action_id: DETAILS,
      value: `${yes.token} ${no.token}`,
      text: { type: "plain_text", text: "Details", emoji: false },
    });
  const count = Math.ceil(elements.length / BUTTONS_IN_A_ROW);
  return Array.from({ length: count }, (_, row) => ({
    type: "actions",
    elements: elements.slice(row * BUTTONS_IN_A_ROW, (row + 1) * BUTTONS_IN_A_ROW),
  }));
}

const STYLES = { yes: { style: "primary" }, no: { style: "danger" }, plain: {} } as const;

function label({ label }: Button): string {
  return label.length <= LABEL_LIMIT ? label : `${cut(label, LABEL_LIMIT - 1)[0] ?? ""}…`;
}

/** The text in pieces of at most `limit` characters, none of which begins or ends within a character. */
export function cut(text: string, limit: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + limit;
    const splits = end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1] ?? "");
    pieces.push(text.slice(at, splits ? end - 1 : end));
    at = splits ? end - 1 : end;
  }
  return pieces;
}

/** What stands under a message whose buttons are gone. */
export function outcomeBlocks(blocks: readonly { readonly type: string }[], text: string, outcome: string): unknown[] {
  const rest = blocks.filter(({ type }) => type !== "actions");
  const said = rest.length > 0 ? rest : blocksOf({ text, buttons: [], kind: "answer" }, false);
  return [...said, { type: "context", elements: [{ type: "mrkdwn", text: slackFlavour.escape(outcome) }] }];
}
