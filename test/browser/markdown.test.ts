import type { Browser } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { describeInBrowser, DESKTOP, openPage, overhang, PHONE, picture, startBrowser } from "./browser.ts";
import { chatOn, says } from "./chat-page.ts";
import { startGatedModel, type GatedModel } from "./gated-model.ts";
import { startProgram, type Program } from "./program.ts";
import { openStage } from "./stage.ts";

const MALICIOUS = [
  "<script>globalThis.pwned = 1</script>",
  '<img src="x" onerror="globalThis.pwned = 2"><iframe src="javascript:parent.pwned = 3"></iframe>',
  "Inline <b onclick='globalThis.pwned = 4'>bold</b> and <style>body { display: none }</style>",
  "[one](javascript:globalThis.pwned=5) [two](JaVaScRiPt&#58;globalThis.pwned=6) [three](data:text/html,hi)",
  "[four](vbscript:x) [five](file:///etc/passwd) [six](//example.com/x) <javascript:globalThis.pwned=7>",
  "![seven](https://example.com/pixel.png) ![eight](javascript:globalThis.pwned=8)",
  "[good](https://example.com/a?b=1&c=2) and https://example.com/bare and <me@example.com>",
  "```html\n<script>globalThis.pwned = 9</script>\n```",
  "End of it.",
].join("\n\n");

const RICH = `# What I found

Here is a **summary** with *emphasis*, ~~a mistake~~, \`inline code\` and [a link](https://example.com/).
It goes on in a second line, with 3 &lt; 5 &amp; a dash &mdash; and ${"Donaudampfschifffahrtsgesellschaftskapitaen".repeat(3)}.

1. The first thing
2. The second thing
   - with a detail
   - and another
- [x] done
- [ ] not done yet

> Quoted, because somebody said it.

\`\`\`ts
export function answer(question: string): number { return question.length > 1000 ? 42 : Number.MAX_SAFE_INTEGER; } // long
\`\`\`

| Name | Amount | A rather long heading for a column | Another long heading for a column |
|:-----|-------:|:--:|---|
| Coffee | 3.50 | yes | https://example.com/a/very/long/address/that/does/not/end |
| Tea | 12.00 | no | fine |

---

That is all.`;

/** What is used of the page's own objects, whose types are not known here. */
interface Link {
  readonly href: string;
  readonly rel: string;
}
interface Scroller {
  scrollTo(left: number, top: number): void;
}

describeInBrowser("Markdown on the web page", () => {
  const stage = openStage();
  let model: GatedModel;
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    const [redis, gated] = await Promise.all([privateRedis(stage), startGatedModel(stage)]);
    model = gated;
    const env = { REDIS_URL: redis.socketPath, AI_URL: model.url };
    [program, browser] = await Promise.all([startProgram(stage, env), startBrowser(stage)]);
  }, 60_000);

  test("what a model writes never becomes markup, a script or a dangerous link", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).host));
    await chat.send(MALICIOUS);
    const call = await model.nextCall();
    call.write(MALICIOUS);
    await says(chat.draft, "End of it.");
    call.end();
    await says(chat.answers, "End of it.");
    await picture(page, "malicious");

    expect(await page.evaluate("globalThis.pwned")).toBeUndefined();
    expect(await chat.thread.locator("script, style, iframe, img, b, [onclick], [onerror]").count()).toBe(0);
    const links = chat.answers.locator("a");
    expect(await links.evaluateAll((found: Link[]) => found.map((link) => link.href))).toEqual([
      "https://example.com/pixel.png",
      "https://example.com/a?b=1&c=2",
      "https://example.com/bare",
      "mailto:me@example.com",
    ]);
    expect(new Set(await links.evaluateAll((found: Link[]) => found.map((link) => link.rel)))).toEqual(
      new Set(["noopener noreferrer"]),
    );
    expect(new Set(asked)).toEqual(new Set([new URL(program.url).host]));
    await says(chat.answers, "<script>globalThis.pwned = 1</script>");
    await says(chat.asked, "<script>globalThis.pwned = 1</script>");
  });

  test.each([
    ["desktop", DESKTOP],
    ["phone", PHONE],
    ["small-phone", { width: 360, height: 640 }],
  ])("nothing sticks out to the right: %s", async (name, viewport) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await openPage(browser, program.url, { viewport, colorScheme });
      const chat = chatOn(page);
      await chat.send(`Show me everything, and ${"w".repeat(120)}`);
      const call = await model.nextCall();
      call.write(RICH);
      call.end();
      await says(chat.answers, "That is all.");
      expect(await overhang(page)).toBe(0);
      await picture(page, `rich-${name}-${colorScheme}`);
      await chat.thread.locator(".scroller").evaluate((box: Scroller) => box.scrollTo(0, 0));
      await page.getByRole("button", { name: "Go to the latest message" }).waitFor();
      await picture(page, `rich-top-${name}-${colorScheme}`);
    }
  });

  test("an answer is built of the elements its Markdown names", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.send("Show me everything");
    const call = await model.nextCall();
    call.write(RICH);
    call.end();
    await says(chat.answers, "That is all.");
    const answer = chat.answers.first();
    const counts: Record<string, number> = {};
    for (const tag of ["h3", "strong", "em", "del", "ol > li", "ul > li", "blockquote", "pre > code", "th", "td", "hr"])
      counts[tag] = await answer.locator(tag).count();
    expect(counts).toEqual({
      h3: 1,
      strong: 1,
      em: 1,
      del: 1,
      "ol > li": 2,
      "ul > li": 4,
      blockquote: 1,
      "pre > code": 1,
      th: 4,
      td: 8,
      hr: 1,
    });
    await says(answer, "with 3 < 5 & a dash — and");
  });
});
