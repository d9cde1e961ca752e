/** What the text of a document is made of: which elements hold it, and what stands for the end of others. */
export interface XmlRules {
  /** Elements whose text counts; with none given, all text does. */
  readonly textIn?: ReadonlySet<string>;
  /** What is written at the end of an element. */
  readonly after: Readonly<Record<string, string>>;
}

/** The text of a document's XML in reading order. Never resolves anything a document names, whatever it declares. Pure. */
export function xmlToText(xml: string, { textIn, after }: XmlRules): string {
  const out: string[] = [];
  let depth = 0;
  let at = 0;
  for (;;) {
    const open = xml.indexOf("<", at);
    const text = xml.slice(at, open < 0 ? xml.length : open);
    if (text !== "" && (textIn === undefined || depth > 0)) out.push(decodeEntities(text));
    if (open < 0) break;
    const close = xml.indexOf(">", open);
    if (close < 0) break;
    at = close + 1;
    const tag = /^(\/?)([\w:.-]+)/.exec(xml.slice(open + 1, Math.min(close, open + 200)));
    if (tag === null) continue;
    const [, slash, name = ""] = tag;
    const selfClosing = xml[close - 1] === "/";
    if (textIn?.has(name) === true && !selfClosing) depth += slash === "/" ? -1 : 1;
    if (slash === "/" || selfClosing) out.push(after[name] ?? "");
  }
  return out
    .join("")
    .replaceAll(/[ \t]+\n/g, "\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

/** The five names XML has by itself and numbers; any other name stays as it is written. Pure. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (typeof name === "string") return NAMED[name.toLowerCase()] ?? whole;
    const code = typeof decimal === "string" ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\uFFFD";
  });
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
