import type { Flavour } from "./flavour.ts";

const UNSEEN = "\u200b";

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * Slack's mrkdwn. Slack advises at most 4,000 characters of text in a message:
 * https://docs.slack.dev/changelog/2018-truncating-really-long-messages
 */
export const slackFlavour: Flavour = {
  limit: 4_000,
  // There is no escape for the signs of formatting: one that nobody sees parts them from the word they would mark.
  escape: (text) => escape(text).replaceAll(/(?<![\p{L}\p{N}])[*_~`](?=\S)/gu, `$&${UNSEEN}`),
  escapeCode: (text) => escape(text).replaceAll("```", `\`${UNSEEN}\`${UNSEEN}\``),
  strong: { open: "*", close: "*" },
  em: { open: "_", close: "_" },
  strike: { open: "~", close: "~" },
  code: (text) => `\`${escape(text).replaceAll("`", "ˋ")}\``,
  codeBlock: () => ({ open: "```\n", close: "\n```" }),
  link: (label, href) => {
    const url = escape(href).replaceAll("|", "%7C").replaceAll(" ", "%20");
    return label === href ? `<${url}>` : `<${url}|${escape(label).replaceAll("|", "¦")}>`;
  },
  heading: () => ({ open: "*", close: "*" }),
  quote: { eachLine: "> " },
  rule: "———",
};
