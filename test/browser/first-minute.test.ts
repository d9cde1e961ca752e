import type { Browser } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { describeInBrowser, openPage, overhang, PHONE, picture, startBrowser } from "./browser.ts";
import { chatOn, isGone, says, wordsOf } from "./chat-page.ts";
import { startProgram, type Program } from "./program.ts";
import { openStage } from "./stage.ts";

describeInBrowser("the web page with the demo model", () => {
  const stage = openStage();
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    const redis = await privateRedis(stage);
    [program, browser] = await Promise.all([startProgram(stage, { REDIS_URL: redis.socketPath }), startBrowser(stage)]);
  }, 60_000);

  test("a suggestion is answered, and says that a demo model did it", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await says(chat.link, "Live");
    await picture(page, "empty");
    await page.getByRole("button", { name: "What is 12*7+1?" }).click();
    await says(chat.answers, "12*7+1 = 85");
    await says(chat.answers, "offline demo model");
    await says(chat.state, "Idle");
    await says(page.getByRole("navigation", { name: "Conversations" }), "What is 12*7+1?");
  });

  test("a question is answered with one of its buttons", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.send("ask me whether tea or coffee");
    const tea = page.getByRole("button", { name: "tea", exact: true });
    await tea.waitFor();
    await says(chat.state, "Waiting for you");
    await picture(page, "question");
    await tea.click();
    await says(chat.answers, "You answered: tea");
    await isGone(tea);
    expect(await wordsOf(chat.asked)).toEqual(["ask me whether tea or coffee", "tea"]);
  });

  test("a slash offers the commands, and the keyboard alone is enough to use one", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.box.pressSequentially("/");
    const hints = page.getByRole("option");
    await says(hints, "/help");
    await picture(page, "commands");
    await page.keyboard.press("ArrowDown");
    expect(await page.getByRole("option", { selected: true }).innerText()).toContain("/stop");
    await chat.box.pressSequentially("sta");
    expect(await hints.count()).toBe(1);
    await page.keyboard.press("Enter");
    expect(await chat.box.inputValue()).toBe("/status");
    await page.keyboard.press("Enter");
    await says(chat.answers, "I am not doing anything right now.");
  });

  test("Shift+Enter begins a new line, and the lines stay", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.box.pressSequentially("echo one");
    const before = await chat.box.boundingBox();
    await page.keyboard.press("Shift+Enter");
    await chat.box.pressSequentially("two");
    const after = await chat.box.boundingBox();
    expect(after?.height).toBeGreaterThan(before?.height ?? 0);
    await page.keyboard.press("Enter");
    await says(chat.answers, "two");
    expect(await wordsOf(chat.asked)).toEqual(["echo one\ntwo"]);
  });

  test("a reload shows the conversation again, and another one begins beside it", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.send("echo the first");
    await says(chat.answers, "the first");
    await chat.send("echo the second");
    await says(chat.answers, "the second");
    const before = [await wordsOf(chat.asked), await wordsOf(chat.answers)];
    await page.reload();
    await says(chat.answers, "the second");
    expect([await wordsOf(chat.asked), await wordsOf(chat.answers)]).toEqual(before);

    await page.getByRole("button", { name: "New conversation" }).first().click();
    await says(page.getByRole("region", { name: "Welcome" }), "What can I do for you?");
    await chat.send("echo elsewhere");
    await says(chat.answers, "elsewhere");
    await page.getByRole("navigation").getByRole("button", { name: "echo the first" }).click();
    await says(chat.answers, "the second");
    expect(await wordsOf(chat.answers)).toEqual(before[1]);
  });

  test("another name has its own conversations and survives a reload", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await page.getByRole("button", { name: "Settings" }).click();
    const name = page.getByRole("textbox", { name: "Your name here" });
    await name.fill("not a name");
    await page.getByRole("button", { name: "Save" }).click();
    await says(page.getByRole("alert"), "without spaces");
    await picture(page, "settings");
    await name.fill("ada");
    await page.getByRole("button", { name: "Save" }).click();
    await says(page.getByRole("complementary"), "You are ada");
    await chat.send("/where");
    await says(chat.answers, "your workspace is ada");
    await page.reload();
    await says(page.getByRole("complementary"), "You are ada");
    expect(await page.getByRole("navigation").getByRole("listitem").count()).toBe(1);
  });

  test("on a phone the conversations are a drawer that the keyboard can leave", async () => {
    const page = await openPage(browser, program.url, { viewport: PHONE, hasTouch: true });
    const chat = chatOn(page);
    await chat.send("what can you do?");
    await says(chat.answers, "remember and recall");
    await says(chat.state, "Idle");
    await picture(page, "phone");
    const menu = page.getByRole("button", { name: "Conversations" });
    await menu.click();
    await page.getByRole("button", { name: "New conversation" }).first().waitFor();
    await picture(page, "phone-drawer");
    expect(await overhang(page)).toBe(0);
    await page.keyboard.press("Escape");
    await page.getByRole("complementary").waitFor({ state: "hidden" });
    expect(await page.locator(":focus").getAttribute("aria-label")).toBe("Conversations");
  });
});
