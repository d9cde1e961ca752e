import type { Flavour } from "./flavour.ts";

// Joins words without being seen: "@name" is no mention any more.
const JOINER = "\u2060";

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/**
 * Telegram's HTML. A message holds 4,096 characters after its tags are read: https://core.telegram.org/bots/api#sendmessage
 * Here the tags count too, so that no part is ever too long.
 */
export const telegramFlavour: Flavour = {
  limit: 4_096,
  escape: (text) => escape(text).replaceAll(/(?<!\w)@(?=\w)/g, `@${JOINER}`),
  escapeCode: escape,
  strong: { open: "<b>", close: "</b>" },
  em: { open: "<i>", close: "</i>" },
  strike: { open: "<s>", close: "</s>" },
  code: (text) => `<code>${escape(text)}</code>`,
  codeBlock: (language) =>
    language === ""
      ? { open: "<pre>", close: "</pre>" }
      : { open: `<pre><code class="language-${escape(language)}">`, close: "</code></pre>" },
  link: (label, href) => `<a href="${escape(href)}">${escape(label)}</a>`,
  heading: () => ({ open: "<b>", close: "</b>" }),
  quote: { open: "<blockquote>", close: "</blockquote>" },
  rule: "———",
};
