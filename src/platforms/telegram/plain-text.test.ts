import fc from "fast-check";
import { expect, test } from "vitest";
import { telegramFlavour } from "../render/telegram.ts";
import { renderMarkdown } from "../render/render.ts";
import { plainText } from "./plain-text.ts";

test.each([
  ["<b>a</b> <i>b</i> <s>c</s> <code>d</code>", "a b c d"],
  ['<pre><code class="language-ts">a &lt; b &amp;&amp; c</code></pre>', "a < b && c"],
  ["<blockquote>said</blockquote>", "said"],
  ['<a href="https://x.test/?a=1&amp;b=2">here</a>', "here (https://x.test/?a=1&b=2)"],
  ['<a href="https://x.test">https://x.test</a>', "https://x.test"],
  ["&lt;b&gt; is no tag, &amp;lt; neither", "<b> is no tag, &lt; neither"],
])("%s is %s", (html, text) => {
  expect(plainText(html)).toBe(text);
});

test("whatever is written, no word of it is lost and it never grows", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (markdown) => {
      for (const html of renderMarkdown(markdown, telegramFlavour))
        expect(plainText(html).length).toBeLessThanOrEqual(html.length);
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (words) => {
      expect(plainText(`<b>${telegramFlavour.escapeCode(words)}</b>`)).toBe(words);
    }),
  );
});
