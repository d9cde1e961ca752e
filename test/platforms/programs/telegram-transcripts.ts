// Writes the transcripts in docs/platforms/telegram.md anew: node test/platforms/programs/telegram-transcripts.ts
import { readFile, writeFile } from "node:fs/promises";
import { replaceTranscripts, TELEGRAM_PAGE } from "../telegram/page.ts";
import { telegramTranscripts } from "../telegram/transcripts.ts";

const page = await readFile(TELEGRAM_PAGE, "utf8");
await writeFile(TELEGRAM_PAGE, replaceTranscripts(page, await telegramTranscripts()));
