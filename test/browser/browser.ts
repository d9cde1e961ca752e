import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { describe, onTestFinished } from "vitest";
import { findChromium, NO_CHROMIUM } from "../setup/chromium.ts";
import type { Stage } from "./stage.ts";

/** A screen that people have. */
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A group of tests that needs a browser: left out, and said so, where there is none. */
export function describeInBrowser(name: string, tests: () => void): void {
  const isMissing = findChromium() === undefined;
  if (isMissing) process.stderr.write(`${name}: ${NO_CHROMIUM}\n`);
  describe.skipIf(isMissing)(name, { timeout: 60_000 }, tests);
}

/** Starts a browser with a profile of its own. */
export async function startBrowser(stage: Stage): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("There is no browser");
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  stage.until(() => browser.close());
  return browser;
}

/**
 * Opens a page as a new visitor: nothing is stored. It ends with the test, which fails when the page reported an error
 * of its own.
 */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", ...options });
  const errors: Error[] = [];
  context.on("page", (page) => {
    page.on("pageerror", (error) => errors.push(error));
    page.on("console", (message) => {
      // What the policy stops is not thrown, only told.
      if (message.text().includes("Content Security Policy")) errors.push(new Error(message.text()));
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  onTestFinished(async () => {
    await context.close();
    if (errors.length > 0) throw new AggregateError(errors, "The page reported errors");
  });
  await page.goto(url);
  return page;
}

/** How many pixels of the page lie beyond the right edge of the screen. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** Keeps a picture of the page in the folder `PARLEY_SCREENSHOTS`, when that is set. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["PARLEY_SCREENSHOTS"];
  if (folder === undefined || folder === "") return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled" });
}
