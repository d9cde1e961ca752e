import type { Browser } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { describeInBrowser, openPage, picture, startBrowser } from "./browser.ts";
import { chatOn, collectProgress, isGone, says, wordsOf } from "./chat-page.ts";
import { startGatedModel, type GatedModel } from "./gated-model.ts";
import { startProgram, type Program } from "./program.ts";
import { openStage } from "./stage.ts";

describeInBrowser("the web page while a model takes its time", () => {
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

  test("progress is shown, and the answer streams in before it is final", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    const progress = await collectProgress(page);
    await chat.send("How much is 6*7?");
    const first = await model.nextCall();
    await says(chat.progress, "Thinking");
    await says(chat.state, "Working");
    first.callTool("calculate", { expression: "6*7" });
    const second = await model.nextCall();
    second.write("It is ");
    await says(chat.draft, "It is");
    second.write("**42**");
    // Pieces are gathered for a moment before they are shown, so the model goes on writing.
    await expect
      .poll(() => {
        second.write("!");
        return chat.draft.innerText();
      })
      .toMatch(/^It is 42!+/);
    await picture(page, "streaming");
    expect(await chat.answers.count()).toBe(0);
    second.write(" Really.");
    second.end();
    await says(chat.answers, /^Parley\s*It is 42!+ Really\./);
    await isGone(chat.draft);
    await says(chat.state, "Idle");
    expect(await chat.answers.count()).toBe(1);
    expect(progress).toEqual(expect.arrayContaining(["Thinking", "Writing"]));
  });

  test("what is sent meanwhile waits in line, and can be changed and withdrawn", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.send("first");
    const first = await model.nextCall();
    first.write("Answer to the ");
    await says(chat.draft, "Answer to the");
    await chat.send("second");
    await says(chat.waiting.nth(0), "Queued, 1 message ahead");
    await chat.send("third");
    await says(chat.waiting.nth(1), "Queued, 2 messages ahead");
    await chat.send("fourth");
    await says(chat.waiting.nth(2), "Queued, 3 messages ahead");
    await picture(page, "queue");

    await chat.waiting.nth(0).getByRole("button", { name: "Edit" }).click();
    const editor = page.getByRole("textbox", { name: "Edit the waiting message" });
    await editor.fill("second, changed");
    await picture(page, "editing");
    await editor.press("Enter");
    await says(chat.waiting.nth(0), "second, changed");
    await chat.waiting.nth(1).getByRole("button", { name: "Withdraw" }).click();
    await says(page.getByRole("status"), "Withdrawn.");
    await says(chat.waiting.nth(1), "Queued, 2 messages ahead");
    expect(await wordsOf(chat.waiting)).toEqual(["second, changed", "fourth"]);

    first.write("first.");
    first.end();
    for (const asked of ["second, changed", "fourth"]) {
      const call = await model.nextCall();
      expect(call.asked).toBe(asked);
      call.write(`Answer to ${call.asked}.`);
      call.end();
    }
    await says(chat.answers, "Answer to fourth.");
    await says(chat.state, "Idle");
    expect(await wordsOf(chat.asked)).toEqual(["first", "second, changed", "fourth"]);
    expect(await wordsOf(chat.answers)).toEqual([
      "Answer to the first.",
      "Answer to second, changed.",
      "Answer to fourth.",
    ]);
  });

  test("Stop ends the run and says so", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.send("a very long story");
    const call = await model.nextCall();
    call.write("Once upon a time");
    await says(chat.draft, "Once upon a time");
    await chat.stop.click();
    await says(chat.answers, "Stopped.");
    await isGone(chat.draft);
    await isGone(chat.stop);
    await says(chat.state, "Idle");
    await picture(page, "stopped");
    await page.reload();
    await says(chat.answers, "Stopped.");
    expect(await chat.answers.count()).toBe(1);
  });

  test("a reload in the middle keeps what was said, what is under way and what waits", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.send("one");
    const first = await model.nextCall();
    first.write("The begin");
    await says(chat.draft, "The begin");
    await chat.send("two");
    await says(chat.waiting, "Queued, 1 message ahead");
    await page.reload();
    await says(chat.waiting, "Queued, 1 message ahead");
    expect(await wordsOf(chat.asked)).toEqual(["one"]);
    await says(chat.state, "Working");
    first.write("ning and the end.");
    first.end();
    const second = await model.nextCall();
    await says(chat.answers, "The beginning and the end.");
    second.write("Two.");
    second.end();
    await says(chat.answers, "Two.");
    expect(await wordsOf(chat.answers)).toEqual(["The beginning and the end.", "Two."]);
    expect(await wordsOf(chat.asked)).toEqual(["one", "two"]);
  });

  test("a second window shows the same conversation as it happens", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await says(chat.link, "Live");
    const other = await page.context().newPage();
    await other.goto(program.url);
    const mirror = chatOn(other);
    await says(mirror.link, "Live");
    await chat.send("hello");
    const call = await model.nextCall();
    await says(mirror.asked, "hello");
    call.write("Hello to all of you.");
    await says(mirror.draft, "Hello to all");
    call.end();
    await says(mirror.answers, "Hello to all of you.");
    expect(await wordsOf(mirror.answers)).toEqual(await wordsOf(chat.answers));
  });

  test("a failure is told in plain words", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    await chat.send("this will fail");
    (await model.nextCall()).fail(401, "Incorrect API key provided");
    await chat.answers.first().waitFor();
    await picture(page, "failure");
    expect(await chat.answers.first().getAttribute("data-kind")).toBe("error");
    await says(chat.state, "Idle");
  });

  test("a message whose confirmation was lost is sent again and answered once", async () => {
    const page = await openPage(browser, program.url);
    const chat = chatOn(page);
    let isLost = false;
    await page.route("**/v1/messages", async (route) => {
      if (isLost) return route.continue();
      isLost = true;
      await route.fetch();
      return route.abort("connectionreset");
    });
    const again = page.waitForResponse((response) => response.url().endsWith("/v1/messages"));
    await chat.send("only once");
    const call = await model.nextCall();
    expect(await (await again).json()).toMatchObject({ status: "duplicate" });
    call.write("Once.");
    call.end();
    await says(chat.answers, "Once.");
    await says(chat.state, "Idle");
    expect(await wordsOf(chat.asked)).toEqual(["only once"]);
    expect(await chat.unsent.count()).toBe(0);
  });
});
