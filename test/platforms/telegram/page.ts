/** The document that shows how answers look on Telegram. */
export const TELEGRAM_PAGE = new URL("../../../docs/platforms/telegram.md", import.meta.url);

const MARK = "<!-- transcripts: written by test/platforms/programs/telegram-transcripts.ts -->";

/** The page with these transcripts behind its mark; they are its end. */
export function replaceTranscripts(page: string, transcripts: string): string {
  const at = page.indexOf(MARK);
  if (at === -1) throw new Error(`the page has no mark ${MARK}`);
  return `${page.slice(0, at)}${MARK}\n\n${transcripts}\n`;
}
