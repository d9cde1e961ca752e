import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { describeInBrowser, DESKTOP, openPage, overhang, PHONE, picture, startBrowser } from "./browser.ts";
import { chatOn, says } from "./chat-page.ts";
import { startGatedModel, type GatedModel } from "./gated-model.ts";
import { startProgram, type Program } from "./program.ts";
import { openStage, type Stage } from "./stage.ts";

const PAY = `
import { appendFileSync } from "node:fs";
import { defineTool, z } from "#parley/tools";
export const pay = defineTool({
  name: "pay",
  description: "Pays.",
  effect: "once",
  approval: "ask",
  input: z.looseObject({ to: z.string() }),
  run: (input) => appendFileSync(process.env.PAID_FILE, input.to + "\\n"),
});
`;

/** A configuration folder with one tool that asks. */
function configFolder(stage: Stage): string {
  const dir = mkdtempSync(join(tmpdir(), "parley-approvals-"));
  stage.until(async () => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "tools"));
  mkdirSync(join(dir, "prompts"));
  writeFileSync(join(dir, "prompts/system.md"), "You are a bot under test.");
  writeFileSync(join(dir, "tools/pay.ts"), PAY);
  writeFileSync(join(dir, "paid.txt"), "");
  return dir;
}

describeInBrowser("an approval on the web page", () => {
  const stage = openStage();
  const dir = configFolder(stage);
  let model: GatedModel;
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    const [redis, gated] = await Promise.all([privateRedis(stage), startGatedModel(stage)]);
    model = gated;
    const env = {
      REDIS_URL: redis.socketPath,
      AI_URL: model.url,
      PARLEY_CONFIG: dir,
      PAID_FILE: join(dir, "paid.txt"),
    };
    [program, browser] = await Promise.all([startProgram(stage, env), startBrowser(stage)]);
  }, 60_000);

  const paidTo = (who: string) =>
    readFileSync(join(dir, "paid.txt"), "utf8")
      .split("\n")
      .filter((line) => line === who);

  /** Asks for a payment and waits until the card is there. */
  async function putUp(page: Page, args: { readonly to: string } & Record<string, unknown>) {
    const chat = chatOn(page);
    await chat.send(`pay ${args.to}`);
    (await model.nextCall()).callTool("pay", args);
    const card = page.locator(".approval").last();
    await card.getByRole("button", { name: "Approve" }).waitFor();
    return { chat, card };
  }

  async function answer(text: string): Promise<void> {
    const next = await model.nextCall();
    next.write(text);
    next.end();
  }

  test.each([
    { device: "desktop", options: { viewport: DESKTOP } },
    { device: "phone", options: { viewport: PHONE, isMobile: true, hasTouch: true } },
  ])(
    "shows the exact call on a $device; a click makes it once, and the card says who approved it",
    async ({ device, options }) => {
      const page = await openPage(browser, program.url, options);
      const to = `${device}-shop`;
      const { chat, card } = await putUp(page, {
        to,
        amount: 12.5,
        note: "for the blue shoes in the window, size 42",
        api_token: "not-to-be-seen",
        reference: "https://example.com/a/very/long/reference/without/any/blank/in/it/that/must/not/push/the/page/wide",
      });
      const shown = await card.locator("pre").innerText();
      expect(shown).toContain(`"to": "${to}"`);
      expect(shown).toContain('"api_token": "[secret]"');
      expect(await card.innerText()).not.toContain("not-to-be-seen");
      await says(card, "This tool asks before every call.");
      await says(chat.state, "Waiting for you");
      await picture(page, `approval-${device}`);
      expect(await overhang(page)).toBe(0);
      expect(paidTo(to)).toEqual([]);
      await page.reload();
      await card.getByRole("button", { name: "Approve" }).click();
      await answer("Paid.");
      await says(chat.answers, "Paid.");
      await says(card.locator(".approval-state"), /^Approved by \S+ at /);
      expect(await card.getByRole("button").count()).toBe(0);
      expect(paidTo(to)).toHaveLength(1);
      await picture(page, `approval-${device}-approved`);
      await page.reload();
      await says(card.locator(".approval-state"), /^Approved by /);
    },
  );

  test("a denied call is not made, and the card says who denied it", async () => {
    const page = await openPage(browser, program.url);
    const { chat, card } = await putUp(page, { to: "nobody" });
    await card.getByRole("button", { name: "Deny" }).click();
    await answer("Then not.");
    await says(chat.answers, "Then not.");
    await says(card.locator(".approval-state"), /^Denied by /);
    expect(paidTo("nobody")).toEqual([]);
  });

  test("a stranger's click changes nothing and is told so", async () => {
    const page = await openPage(browser, program.url);
    const { chat, card } = await putUp(page, { to: "later" });
    // The same page, in the name of somebody else.
    await page.route("**/v1/approvals/*", async (route) => {
      await route.continue({ postData: JSON.stringify({ decision: "approve", user_id: "mallory" }) });
    });
    await card.getByRole("button", { name: "Approve" }).click();
    await says(page.getByRole("status"), /^Only \S+ or an administrator may decide this/);
    await card.getByRole("button", { name: "Approve" }).waitFor();
    await page.unroute("**/v1/approvals/*");
    await chat.send("/stop");
    await says(card.locator(".approval-state"), "No longer needed");
    expect(paidTo("later")).toEqual([]);
  });
});
