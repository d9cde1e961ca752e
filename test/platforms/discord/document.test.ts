import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fillDocument } from "./transcripts.ts";

test("the page about Discord says what Discord really gets", async () => {
  const text = readFileSync(join(import.meta.dirname, "../../../docs/platforms/discord.md"), "utf8");
  // To write it anew: node test/platforms/programs/discord-document.ts
  expect(text).toBe(await fillDocument(text));
});
