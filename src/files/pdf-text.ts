import { getDocumentProxy } from "unpdf";

const MAX_PAGES = 300;

/** The text of a PDF, page by page, until its end, `maxChars` or the most pages that are read. Throws for one that cannot be read. */
export async function pdfText(
  bytes: Buffer,
  maxChars: number,
): Promise<{ readonly text: string; readonly cut: string }> {
  const document = await getDocumentProxy(new Uint8Array(bytes), { useSystemFonts: false });
  const pages = Math.min(document.numPages, MAX_PAGES);
  const parts: string[] = [];
  let length = 0;
  for (let number = 1; number <= pages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    const text = items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("");
    parts.push(`--- Page ${number} of ${document.numPages} ---\n${text.trim()}`);
    length += text.length;
    if (length > maxChars) return { text: parts.join("\n\n"), cut: `it was read to page ${number}` };
  }
  const cut = document.numPages > pages ? `only its first ${pages} pages were read` : "";
  return { text: length === 0 ? "" : parts.join("\n\n"), cut };
}
