import type { Browser } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { describeInBrowser, openPage, picture, startBrowser } from "./browser.ts";
import { chatOn, isGone, says } from "./chat-page.ts";
import { startProgram, type Program } from "./program.ts";
import { openStage } from "./stage.ts";

const KEY = "a-key-for-this-test-0123456789";

describeInBrowser("the web page of a server with a key", () => {
  const stage = openStage();
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    const redis = await privateRedis(stage);
    const env = { REDIS_URL: redis.socketPath, PARLEY_API_KEY: KEY };
    [program, browser] = await Promise.all([startProgram(stage, env), startBrowser(stage)]);
  }, 60_000);

  test("it asks for the key, keeps it for this window only and puts it into no address", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    const addresses: string[] = [];
    page.on("request", (request) => addresses.push(request.url()));
    const dialog = page.getByRole("dialog", { name: "This server asks for a key" });
    await dialog.waitFor();
    await picture(page, "key");
    await dialog.getByLabel("API key").fill("wrong");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await says(dialog.getByRole("alert"), "does not know the key");
    await dialog.getByLabel("API key").fill(KEY);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.waitFor({ state: "hidden" });
    await says(chat.link, "Live");
    await chat.send("echo let in");
    await says(chat.answers, "let in");

    await page.reload();
    await says(chat.answers, "let in");
    expect(addresses.filter((address) => address.includes(KEY))).toEqual([]);
    expect(await page.evaluate("JSON.stringify({ ...localStorage })")).not.toContain(KEY);
    expect(await page.evaluate("document.documentElement.outerHTML")).not.toContain(KEY);

    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Forget it" }).click();
    await page.reload();
    await dialog.waitFor();
    await isGone(chat.answers);
  });
});
