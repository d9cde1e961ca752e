import type { Browser } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import type { RedisServer } from "../../src/store/redis-server.ts";
import { privateRedis } from "../setup/redis.ts";
import { describeInBrowser, openPage, picture, startBrowser } from "./browser.ts";
import { chatOn, says, wordsOf } from "./chat-page.ts";
import { startGatedModel, type GatedModel } from "./gated-model.ts";
import { startProgram } from "./program.ts";
import { openStage } from "./stage.ts";

describeInBrowser("the web page when the server goes away", () => {
  const stage = openStage();
  let redis: RedisServer;
  let model: GatedModel;
  let browser: Browser;

  beforeAll(async () => {
    [redis, model, browser] = await Promise.all([privateRedis(stage), startGatedModel(stage), startBrowser(stage)]);
  }, 60_000);

  test("after a crash and a restart every message has exactly one answer, also the one sent meanwhile", async () => {
    const env = { REDIS_URL: redis.socketPath, AI_URL: model.url };
    const first = await startProgram(stage, env);
    const page = await openPage(browser, first.url);
    const chat = chatOn(page);
    await chat.send("before the crash");
    const cut = await model.nextCall();
    cut.write("This will never be fin");
    await says(chat.draft, "This will never be fin");

    await first.kill();
    await says(chat.link, /Reconnecting|Offline/);
    await chat.send("while it was away");
    await says(chat.unsent, "Not sent yet");
    await picture(page, "offline");
    await startProgram(stage, { ...env, PORT: new URL(first.url).port });
    await says(chat.link, "Live");

    for (const asked of ["before the crash", "while it was away"]) {
      const call = await model.nextCall();
      expect(call.asked).toBe(asked);
      call.write(`Answered: ${call.asked}.`);
      call.end();
    }
    await says(chat.answers, "Answered: while it was away.");
    await says(chat.state, "Idle");
    expect(await chat.unsent.count()).toBe(0);
    const expected = ["Answered: before the crash.", "Answered: while it was away."];
    expect(await wordsOf(chat.answers)).toEqual(expected);
    expect(await wordsOf(chat.asked)).toEqual(["before the crash", "while it was away"]);
    await page.reload();
    await says(chat.answers, "Answered: while it was away.");
    expect(await wordsOf(chat.answers)).toEqual(expected);
  });
});
