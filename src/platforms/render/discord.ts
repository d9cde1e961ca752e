import type { Flavour } from "./flavour.ts";

// Zero-width: nobody sees it, and the name behind it calls nobody.
const UNHEARD = "\u200b";

/** Discord's markdown. A message holds 2,000 characters: https://docs.discord.com/developers/resources/message */
export const discordFlavour: Flavour = {
  limit: 2_000,
  escape: (text) =>
    text
      .replaceAll(/[\\`*_~|<>[\]]/g, String.raw`\$&`)
      .replaceAll(/^([#+-]|\d+\.)/g, String.raw`\$1`)
      .replaceAll(/@(?=\w)/g, `@${UNHEARD}`),
  escapeCode: (text) => text.replaceAll("```", `\`${UNHEARD}\`${UNHEARD}\``),
  strong: { open: "**", close: "**" },
  em: { open: "*", close: "*" },
  strike: { open: "~~", close: "~~" },
  code: (text) => (text.includes("`") ? `\`\`${text.replaceAll("``", `\`${UNHEARD}\``)} \`\`` : `\`${text}\``),
  codeBlock: (language) => ({ open: `\`\`\`${language}\n`, close: "\n```" }),
  link: (label, href) => {
    const url = href.replaceAll("(", "%28").replaceAll(")", "%29").replaceAll(" ", "%20");
    return label === href || /^mailto:|^tel:/i.test(href)
      ? label.replaceAll(" ", "%20")
      : `[${label.replaceAll(/[\\`*_~|[\]]/g, String.raw`\$&`)}](${url})`;
  },
  heading: (level) =>
    level <= 3 ? { open: `${"#".repeat(level)} `, close: "", again: "" } : { open: "**", close: "**" },
  quote: { eachLine: "> " },
  rule: "———",
};
