import type { Locator, Page } from "playwright-core";

/** The chat as a person uses it. */
export function chatOn(page: Page) {
  const box = page.getByRole("textbox", { name: "Message", exact: true });
  const thread = page.getByRole("main", { name: "Chat" });
  const said = page.getByRole("log").locator("article");
  return {
    box,
    thread,
    stop: page.getByRole("button", { name: "Stop" }),
    /** What people have said that is being answered or was. */
    asked: said.filter({ has: page.getByRole("heading", { name: /^You/ }) }),
    /** What the bot has said, without what it is writing. */
    answers: said.filter({ has: page.getByRole("heading", { name: /^Parley/ }) }),
    draft: thread.locator("[data-kind=draft]"),
    progress: thread.locator(".progress"),
    waiting: page.getByRole("region", { name: "Waiting messages" }).locator("article"),
    unsent: thread.locator("article.is-unsent"),
    /** What the bot is doing. */
    state: page.locator("header .state"),
    /** How well the page hears of it. */
    link: page.locator("header .link"),

    async send(text: string): Promise<void> {
      await box.fill(text);
      await box.press("Enter");
    },
  };
}

/** Waits until the element, or one of the elements, says this. */
export async function says(elements: Locator, words: string | RegExp): Promise<void> {
  await elements.filter({ hasText: words }).first().waitFor();
}

/** Waits until there are no such elements. */
export async function isGone(elements: Locator): Promise<void> {
  await elements.first().waitFor({ state: "detached" });
}

/** What each of the messages says, without its time and its buttons. */
export async function wordsOf(messages: Locator): Promise<string[]> {
  const texts = await messages.locator(".bubble, .prose").allInnerTexts();
  return texts.map((text) => text.trim());
}

/** Collects everything the progress line ever says: some of it is there for a few milliseconds only. */
export async function collectProgress(page: Page): Promise<readonly string[]> {
  const seen: string[] = [];
  await page.exposeFunction("noteProgress", (label: string) => void seen.push(label));
  await page.evaluate(`
    let last = "";
    new MutationObserver(() => {
      const label = document.querySelector(".progress")?.textContent.trim() ?? "";
      if (label !== last && label !== "") noteProgress(label);
      last = label;
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  `);
  return seen;
}
