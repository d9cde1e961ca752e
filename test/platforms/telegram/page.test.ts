import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { replaceTranscripts, TELEGRAM_PAGE } from "./page.ts";
import { telegramTranscripts } from "./transcripts.ts";

test("the page shows what Telegram really gets", async () => {
  const page = await readFile(TELEGRAM_PAGE, "utf8");
  expect(page).toBe(replaceTranscripts(page, await telegramTranscripts()));
});

test("the variables that the page names are the ones there are", async () => {
  const page = await readFile(TELEGRAM_PAGE, "utf8");
  const named = new Set(page.match(/TELEGRAM_[A-Z_]+/g));
  const env = Object.fromEntries(
    [...named].map((name) => [name, name.endsWith("URL") ? "https://x.test/y" : "secret"]),
  );
  const { config } = await loadConfig({
    env,
    dir: "/config",
    readFile: (path) => Promise.resolve(path.endsWith(".yaml") ? "" : "You are a bot."),
  });
  expect(Object.values(config.platforms.telegram).filter((value) => value !== undefined)).toHaveLength(named.size);
  expect(named.size).toBe(4);
});
