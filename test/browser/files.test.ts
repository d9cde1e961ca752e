import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { docxOf, DOT_PNG } from "../files/samples.ts";
import { privateRedis } from "../setup/redis.ts";
import { describeInBrowser, DESKTOP, openPage, overhang, PHONE, picture, startBrowser } from "./browser.ts";
import { chatOn, says } from "./chat-page.ts";
import { startGatedModel, type GatedModel } from "./gated-model.ts";
import { startProgram, type Program } from "./program.ts";
import { openStage } from "./stage.ts";

describeInBrowser("files on the web page", () => {
  const stage = openStage();
  let model: GatedModel;
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    const [redis, gated] = await Promise.all([privateRedis(stage), startGatedModel(stage)]);
    model = gated;
    // With a key, so that pictures and downloads have to work by their links alone.
    const env = { REDIS_URL: redis.socketPath, AI_URL: model.url, PARLEY_API_KEY: "page-key" };
    [program, browser] = await Promise.all([startProgram(stage, env), startBrowser(stage)]);
  }, 60_000);

  async function open(viewport: { width: number; height: number }): Promise<Page> {
    const page = await openPage(browser, program.url, { viewport });
    await page.getByLabel("API key").fill("page-key");
    await page.keyboard.press("Enter");
    await says(chatOn(page).link, "Live");
    return page;
  }

  const chosen = (page: Page) => page.getByRole("list", { name: "Files to send" }).getByRole("listitem");
  const sent = (page: Page) => page.getByRole("list", { name: "Files you sent" }).getByRole("listitem");

  test.each([
    ["desktop", DESKTOP],
    ["phone", PHONE],
  ])("are sent with their state, and come back as a picture and a download (%s)", async (name, viewport) => {
    const page = await open(viewport);
    const chat = chatOn(page);
    await page.getByLabel("Files to send").setInputFiles([
      { name: "letter to a friend with a very long name indeed.docx", mimeType: "", buffer: docxOf("Dear Ada") },
      { name: "dot.png", mimeType: "image/png", buffer: DOT_PNG },
      { name: "unwanted.txt", mimeType: "text/plain", buffer: Buffer.from("no") },
    ]);
    await expect.poll(() => chosen(page).count()).toBe(3);
    await page.getByRole("button", { name: "Remove unwanted.txt" }).click();
    await chat.box.fill("Please draw it");
    await picture(page, `files-chosen-${name}`);
    await page.keyboard.press("Enter");

    const first = await model.nextCall();
    expect(first.asked).toContain("Dear Ada");
    await says(sent(page), /letter to a friend.*read/);
    await says(sent(page), /dot\.png.*not supported: the model in use cannot see images/);
    expect(await chosen(page).count()).toBe(0);
    first.callTools([
      ["artifact_create", { name: "drawing.png", content: DOT_PNG.toString("base64"), encoding: "base64" }],
      ["artifact_create", { name: "evil.svg", content: "<svg xmlns='http://www.w3.org/2000/svg'/>" }],
      ["artifact_create", { name: "report.html", content: "<script>document.title='run'</script>" }],
    ]);
    const second = await model.nextCall();
    second.write("Here you are.");
    second.end();
    await says(chat.answers, "Here you are.");
    const files = chat.answers.getByRole("listitem");
    await expect.poll(() => files.count()).toBe(3);
    // Only what a browser cannot run or follow is shown as a picture.
    expect(await files.getByRole("img").count()).toBe(1);
    await expect
      .poll(() => page.evaluate<number>("document.querySelector('img.preview').naturalWidth"))
      .toBeGreaterThan(0);
    await picture(page, `files-${name}`);
    expect(await overhang(page)).toBe(0);

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      files.getByRole("link", { name: "report.html" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("report.html");
    expect(await readFile(await download.path(), "utf8")).toContain("document.title");

    await page.reload();
    await says(sent(page), /letter to a friend.*read/);
    await says(chat.answers.getByRole("listitem"), "drawing.png");
  });

  test("may be dropped on the page, and sent without a word", async () => {
    const page = await open(DESKTOP);
    await page.evaluate(`{
      const data = new DataTransfer();
      data.items.add(new File(["plums"], "dropped.txt", { type: "text/plain" }));
      const event = (name) => document.body.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
      event("dragover");
      event("drop");
    }`);
    await says(chosen(page), "dropped.txt");
    await page.getByRole("button", { name: "Send" }).click();
    const call = await model.nextCall();
    expect(call.asked).toContain("plums");
    call.write("Plums.");
    call.end();
    await says(chatOn(page).answers, "Plums.");
    await says(sent(page), /dropped\.txt.*read/);
  });
});
