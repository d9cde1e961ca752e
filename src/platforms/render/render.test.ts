import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { discordFlavour } from "./discord.ts";
import type { Flavour } from "./flavour.ts";
import { plainFlavour } from "./plain.ts";
import { renderMarkdown } from "./render.ts";
import { slackFlavour } from "./slack.ts";
import { telegramFlavour } from "./telegram.ts";

const FLAVOURS = {
  slack: slackFlavour,
  discord: discordFlavour,
  telegram: telegramFlavour,
  plain: plainFlavour(2_000),
} as const;
type Name = keyof typeof FLAVOURS;
const NAMES: readonly Name[] = ["slack", "discord", "telegram", "plain"];

interface Case {
  readonly what: string;
  readonly markdown: string;
  readonly slack: string;
  readonly discord: string;
  readonly telegram: string;
}

const cases: readonly Case[] = [
  {
    what: "emphasis",
    markdown: "**a** *b* ~~c~~ `d`",
    slack: "*a* _b_ ~c~ `d`",
    discord: "**a** *b* ~~c~~ `d`",
    telegram: "<b>a</b> <i>b</i> <s>c</s> <code>d</code>",
  },
  {
    what: "emphasis within itself",
    markdown: "# a **b** c",
    slack: "*a b c*",
    discord: "# a **b** c",
    telegram: "<b>a b c</b>",
  },
  {
    what: "a link",
    markdown: "see [the docs](https://x.test/a_(b)?c=1&d=2).",
    slack: "see <https://x.test/a_(b)?c=1&amp;d=2|the docs>.",
    discord: "see [the docs](https://x.test/a_%28b%29?c=1&d=2).",
    telegram: 'see <a href="https://x.test/a_(b)?c=1&amp;d=2">the docs</a>.',
  },
  {
    what: "a bare address",
    markdown: "https://x.test/a_b_c",
    slack: "<https://x.test/a_b_c>",
    discord: "https://x.test/a_b_c",
    telegram: '<a href="https://x.test/a_b_c">https://x.test/a_b_c</a>',
  },
  {
    what: "a link that leads nowhere by a click",
    markdown: "[run](javascript:alert(1)) [file](docs/a.md)",
    slack: "run (javascript:alert(1)) file (docs/a.md)",
    discord: "run (javascript:alert(1)) file (docs/a.md)",
    telegram: "run (javascript:alert(1)) file (docs/a.md)",
  },
  {
    what: "lists within lists",
    markdown: "Do:\n\n1. one\n   - inner\n   - inner too\n2. two",
    slack: "Do:\n1. one\n   • inner\n   • inner too\n2. two",
    discord: "Do:\n1. one\n   • inner\n   • inner too\n2. two",
    telegram: "Do:\n1. one\n   • inner\n   • inner too\n2. two",
  },
  {
    what: "tasks",
    markdown: "- [x] done\n- [ ] open",
    slack: "• ☑ done\n• ☐ open",
    discord: "• ☑ done\n• ☐ open",
    telegram: "• ☑ done\n• ☐ open",
  },
  {
    what: "code with a language",
    markdown: "```ts\nif (a < b && c) {}\n```",
    slack: "```\nif (a &lt; b &amp;&amp; c) {}\n```",
    discord: "```ts\nif (a < b && c) {}\n```",
    telegram: '<pre><code class="language-ts">if (a &lt; b &amp;&amp; c) {}</code></pre>',
  },
  {
    what: "a quote with two paragraphs",
    markdown: "> a\n>\n> b",
    slack: "> a\n>\n> b",
    discord: "> a\n>\n> b",
    telegram: "<blockquote>a\n\nb</blockquote>",
  },
  {
    what: "a table",
    markdown: "| a | bc |\n|---|---|\n| 1 | **2** |",
    slack: "```\na | bc\n--|---\n1 | 2\n```",
    discord: "```\na | bc\n--|---\n1 | 2\n```",
    telegram: "<pre>a | bc\n--|---\n1 | 2</pre>",
  },
  {
    what: "a table too wide for a phone",
    markdown: `| name | text |\n|---|---|\n| a | ${"x".repeat(60)} |`,
    slack: `• *name:* a\n   *text:* ${"x".repeat(60)}`,
    discord: `• **name:** a\n   **text:** ${"x".repeat(60)}`,
    telegram: `• <b>name:</b> a\n   <b>text:</b> ${"x".repeat(60)}`,
  },
  {
    what: "mentions",
    markdown: "@everyone <@U1> <!channel> @ada",
    slack: "@everyone &lt;@U1&gt; &lt;!channel&gt; @ada",
    discord: "@\u200beveryone \\<@\u200bU1\\> \\<!channel\\> @\u200bada",
    telegram: "@\u2060everyone &lt;@\u2060U1&gt; &lt;!channel&gt; @\u2060ada",
  },
  {
    what: "signs of formatting that are only text",
    markdown: String.raw`2 \* 3, snake_case, \*not bold\*`,
    slack: "2 * 3, snake_case, *\u200bnot bold*",
    discord: String.raw`2 \* 3, snake\_case, \*not bold\*`,
    telegram: "2 * 3, snake_case, *not bold*",
  },
  {
    what: "HTML",
    markdown: "a <b>c</b>\n\n<script>x</script>",
    slack: "a &lt;b&gt;c&lt;/b&gt;\n\n&lt;script&gt;x&lt;/script&gt;",
    discord: "a \\<b\\>c\\</b\\>\n\n\\<script\\>x\\</script\\>",
    telegram: "a &lt;b&gt;c&lt;/b&gt;\n\n&lt;script&gt;x&lt;/script&gt;",
  },
  { what: "lines", markdown: "a\nb", slack: "a\nb", discord: "a\nb", telegram: "a\nb" },
  {
    what: "a rule",
    markdown: "a\n\n---\n\nb",
    slack: "a\n\n———\n\nb",
    discord: "a\n\n———\n\nb",
    telegram: "a\n\n———\n\nb",
  },
  { what: "nothing", markdown: " \n", slack: "(empty)", discord: "(empty)", telegram: "(empty)" },
];

describe("markdown becomes a platform's own form", () => {
  test.each(cases)("$what", ({ markdown, slack, discord, telegram }) => {
    expect(renderMarkdown(markdown, slackFlavour)).toEqual([slack]);
    expect(renderMarkdown(markdown, discordFlavour)).toEqual([discord]);
    expect(renderMarkdown(markdown, telegramFlavour)).toEqual([telegram]);
  });

  test("as plain text without any marks", () => {
    const markdown = "# A **b**\n\n> c\n\n```js\nd\n```\n\n[e](https://x.test)";
    expect(renderMarkdown(markdown, plainFlavour(4_096))).toEqual(["A b\n\n> c\n\nd\n\ne (https://x.test)"]);
  });
});

describe("what is too long for one message", () => {
  const tiny = (flavour: Flavour, limit: number): Flavour => ({ ...flavour, limit });

  test("ends between blocks rather than in one", () => {
    expect(renderMarkdown("one two three\n\nfour five", tiny(discordFlavour, 20))).toEqual([
      "one two three",
      "four five",
    ]);
  });

  test("ends between lines rather than in one, and between words rather than in one", () => {
    expect(renderMarkdown("one two\nthree four", tiny(discordFlavour, 14))).toEqual(["one two", "three four"]);
    expect(renderMarkdown("one two three", tiny(discordFlavour, 9))).toEqual(["one two", "three"]);
  });

  test("goes on with its code in the same language", () => {
    expect(renderMarkdown("```ts\nlet a;\nlet b;\n```", tiny(discordFlavour, 18))).toEqual([
      "```ts\nlet a;\n```",
      "```ts\nlet b;\n```",
    ]);
    expect(renderMarkdown("```ts\nlet a;\nlet b;\n```", tiny(telegramFlavour, 55))).toEqual([
      '<pre><code class="language-ts">let a;</code></pre>',
      '<pre><code class="language-ts">let b;</code></pre>',
    ]);
  });

  test("goes on with its emphasis and its quote", () => {
    expect(renderMarkdown("> **one two**", tiny(discordFlavour, 10))).toEqual(["> **one**", "> **two**"]);
    expect(renderMarkdown("**one two**", tiny(telegramFlavour, 12))).toEqual(["<b>one</b>", "<b>two</b>"]);
  });

  test("is never cut within a link, an entity or a character", () => {
    expect(renderMarkdown("see [it](https://x.test) now", tiny(discordFlavour, 23))).toEqual([
      "see",
      "[it](https://x.test)",
      "now",
    ]);
    expect(renderMarkdown("&&&&", tiny(telegramFlavour, 11))).toEqual(["&amp;&amp;", "&amp;&amp;"]);
    expect(renderMarkdown("👩‍👩‍👧👩‍👩‍👧", tiny(telegramFlavour, 12))).toEqual(["👩‍👩‍👧", "👩‍👩‍👧"]);
  });

  test("keeps the words and the address of a link that is too long by itself", () => {
    const [first, ...more] = renderMarkdown(`[it](https://x.test/${"a".repeat(40)})`, tiny(discordFlavour, 30));
    expect([first, ...more].join("")).toBe(`it (https://x.test/${"a".repeat(40)})`);
  });
});

test("a word that touches code is parted from it rather than cut in two", () => {
  const code = `\`${"x".repeat(110)}\``;
  expect(renderMarkdown(`${code}word`, { ...FLAVOURS.telegram, limit: 125 })).toEqual([
    `<code>${"x".repeat(110)}</code>`,
    "word",
  ]);
});

/** Words that are found again whatever a platform does with the signs around them. */
const word = fc.integer({ min: 0, max: 999_999 }).map((number) => `w${number}w`);
const words = fc.array(word, { minLength: 1, maxLength: 12 }).map((all) => all.join(" "));
const odd = fc.constantFrom(
  "a<b&c",
  "x_y_z",
  "1*2*3",
  "@here",
  "`tick",
  "[b]",
  "(p)",
  "#5",
  "👩‍👩‍👧",
  "日本語",
  "||",
  "\\",
);
const inline = fc.oneof(
  { weight: 4, arbitrary: words },
  words.map((text) => `**${text}**`),
  words.map((text) => `*${text}*`),
  words.map((text) => `~~${text}~~`),
  words.map((text) => `\`${text}\``),
  fc.tuple(words, word).map(([text, path]) => `[${text}](https://x.test/${path})`),
  odd,
);
const line = fc.array(inline, { minLength: 1, maxLength: 5 }).map((all) => all.join(" "));
const { block } = fc.letrec<{ block: string }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 2, depthIdentifier: "block" },
    line,
    line.map((text) => `## ${text}`),
    fc.array(line, { minLength: 1, maxLength: 5 }).map((all) => all.map((text) => `- ${text}`).join("\n")),
    fc
      .array(line, { minLength: 1, maxLength: 5 })
      .map((all) => all.map((text, index) => `${index + 1}. ${text}`).join("\n")),
    fc.array(words, { minLength: 1, maxLength: 30 }).map((all) => `\`\`\`py\n${all.join("\n")}\n\`\`\``),
    fc
      .array(fc.tuple(word, word), { minLength: 1, maxLength: 4 })
      .map((rows) => `| ${rows.map((row) => row.join(" | ")).join(" |\n| ")} |`.replace("\n", "\n|---|---|\n")),
    tie("block").map((text) =>
      text
        .split("\n")
        .map((each) => `> ${each}`)
        .join("\n"),
    ),
    tie("block").map(
      (text) =>
        `- item\n\n${text
          .split("\n")
          .map((each) => `  ${each}`)
          .join("\n")}`,
    ),
  ),
}));
const document = fc.array(block, { minLength: 1, maxLength: 8 }).map((all) => all.join("\n\n"));

describe.each(NAMES)("whatever is rendered for %s", (name) => {
  test("keeps every word in its order, within the limit, and every part is valid by itself", () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 120, max: 2_000 }), (markdown, limit) => {
        const flavour = { ...FLAVOURS[name], limit };
        const parts = renderMarkdown(markdown, flavour);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(limit);
          expect(part.trim()).not.toBe("");
          expect(faultOf(name, part)).toBeUndefined();
        }
        expect(wordsOf(parts.join("\n"))).toEqual(wordsOf(markdown));
      }),
      { numRuns: 150 },
    );
  });

  test("survives any text at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), fc.integer({ min: 80, max: 200 }), (text, limit) => {
        for (const part of renderMarkdown(text, { ...FLAVOURS[name], limit })) {
          expect(part.length).toBeLessThanOrEqual(limit);
          if (name === "telegram") expect(faultOf(name, part)).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** The words of our own making, each as often as it occurs; a link's address may come to stand before its label. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/w\d+w/g)].map(([each]) => each).sort();
}

/** What a platform would find wrong with a message. */
function faultOf(name: Name, part: string): string | undefined {
  if (name === "telegram") return faultOfHtml(part);
  if (name === "plain") return undefined;
  return (part.match(/^(> )?```/gm)?.length ?? 0) % 2 === 0 ? undefined : "a code block is not closed";
}

const TAG = /<(\/?)(b|i|s|pre|blockquote|code(?: class="language-[\w+#.-]+")?|a(?: href="[^"<>]*")?)>/g;

function faultOfHtml(part: string): string | undefined {
  const open: string[] = [];
  for (const [, slash, tag = ""] of part.matchAll(TAG)) {
    const bare = tag.split(" ")[0] ?? "";
    if (slash === "") open.push(bare);
    else if (open.pop() !== bare) return `</${bare}> closes nothing`;
  }
  if (open.length > 0) return `<${open.join("><")}> is not closed`;
  const rest = part.replaceAll(TAG, "");
  if (/[<>]/.test(rest)) return "a bracket is not escaped";
  return /&(?!amp;|lt;|gt;|quot;)/.test(rest) ? "an entity is cut" : undefined;
}
