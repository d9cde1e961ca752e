import { TextDecoder } from "node:util";
import { convert } from "html-to-text";

// The time to convert grows with the square of how deep tags are nested: this much hostile markup takes half a second.
const MAX_MARKUP_CHARS = 192 * 1024;
const MAX_DEPTH = 100;
const MAX_TITLE_CHARS = 300;

/** What a body of this type is read as; `undefined` for anything that is not text. */
export function textKindOf(mimeType: string): "html" | "plain" | undefined {
  if (mimeType === "text/html" || mimeType === "application/xhtml+xml") return "html";
  const textual = mimeType.startsWith("text/") || /^application\/(?:json|xml|[\w.-]+\+(?:json|xml))$/.test(mimeType);
  return textual ? "plain" : undefined;
}

/** Decodes by the declared character set, for a page also by the one its head declares; UTF-8 otherwise. */
export function decodeText(body: Uint8Array, declared: string | undefined, kind: "html" | "plain"): string {
  const label = declared ?? (kind === "html" ? charsetInHead(body) : undefined) ?? "utf-8";
  return createDecoder(label).decode(body);
}

/** A page as the words a reader sees, with links made absolute. Never blocks for long, whatever the page holds. */
export function pageToText(
  html: string,
  base: string,
): { readonly title?: string; readonly text: string; readonly cut: boolean } {
  const markup = withoutUnreadParts(html);
  const title = findTitle(markup);
  const text = convert(markup.slice(0, MAX_MARKUP_CHARS), {
    wordwrap: false,
    limits: { maxDepth: MAX_DEPTH },
    selectors: [
      {
        selector: "a",
        options: {
          hideLinkHrefIfSameAsText: true,
          noAnchorUrl: true,
          pathRewrite: (path: string) => absolute(path, base),
        },
      },
      { selector: "img", format: "skip" },
      { selector: "title", format: "skip" },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
      { selector: "table", options: { uppercaseHeaderCells: false } },
    ],
  });
  return { ...(title === undefined ? {} : { title }), text, cut: markup.length > MAX_MARKUP_CHARS };
}

function charsetInHead(body: Uint8Array): string | undefined {
  const head = new TextDecoder("latin1").decode(body.subarray(0, 1024));
  return /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1];
}

function createDecoder(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    // A name nobody knows: most such pages are UTF-8 all the same.
    return new TextDecoder();
  }
}

// Scripts, styles, drawings and comments are most of many pages and none of the text.
function withoutUnreadParts(html: string): string {
  const opening = /<(?:!--|(script|style|svg)\b)/gi;
  let kept = "";
  let from = 0;
  for (let match = opening.exec(html); match !== null; match = opening.exec(html)) {
    kept += html.slice(from, match.index);
    from = endOfPart(html, match.index, match[1]);
    opening.lastIndex = from;
  }
  return kept + html.slice(from);
}

function endOfPart(html: string, start: number, element: string | undefined): number {
  const closing = element === undefined ? /-->/g : new RegExp(`</${element}[^>]*>`, "gi");
  closing.lastIndex = start;
  return closing.exec(html) === null ? html.length : closing.lastIndex;
}

function findTitle(markup: string): string | undefined {
  const start = /<title\b/i.exec(markup)?.index ?? -1;
  if (start === -1) return undefined;
  const from = markup.indexOf(">", start) + 1;
  const to = markup.indexOf("<", from);
  if (from === 0 || to === -1) return undefined;
  const title = convert(markup.slice(from, Math.min(to, from + MAX_TITLE_CHARS)), { wordwrap: false }).trim();
  return title === "" ? undefined : title;
}

function absolute(path: string, base: string): string {
  // The converter has already taken `mailto:` away from these.
  if (/^[^/\s]+@[^/\s]+$/.test(path)) return path;
  return URL.parse(path, base)?.href ?? path;
}
