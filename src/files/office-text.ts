import { BadZip, readZip, type ZipEntry } from "./zip.ts";
import { decodeEntities, xmlToText } from "./xml-text.ts";

/** What all parts that are read may take together when unpacked. */
const MAX_UNPACKED = 40_000_000;
const MAX_SHEETS = 50;

/**
 * The text of a document of Word, PowerPoint, Excel or OpenDocument. Throws `BadZip` for one that is damaged, would
 * become too large, or is an archive of something else.
 */
export function officeText(bytes: Buffer): string {
  const entries = readZip(bytes, MAX_UNPACKED);
  const find = (name: string) => entries.find((entry) => entry.name === name);
  const word = find("word/document.xml");
  if (word !== undefined) return xmlToText(textOf(word), WORD);
  const open = find("content.xml");
  if (open !== undefined) return xmlToText(bodyOf(textOf(open)), OPEN_DOCUMENT);
  const slides = numbered(entries, /^ppt\/slides\/slide(\d+)\.xml$/);
  if (slides.length > 0)
    return slides.map((slide, index) => `--- Slide ${index + 1} ---\n${xmlToText(textOf(slide), SLIDE)}`).join("\n\n");
  const sheets = numbered(entries, /^xl\/worksheets\/sheet(\d+)\.xml$/);
  if (sheets.length > 0) return sheetsText(sheets, find("xl/sharedStrings.xml"));
  throw new BadZip("it is an archive of a kind that is not read here");
}

const WORD = {
  textIn: new Set(["w:t"]),
  after: { "w:p": "\n", "w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:tc": "\t", "w:tr": "\n" },
};
const SLIDE = { textIn: new Set(["a:t"]), after: { "a:p": "\n", "a:br": "\n" } };
const OPEN_DOCUMENT = {
  after: {
    "text:p": "\n",
    "text:h": "\n",
    "text:tab": "\t",
    "text:line-break": "\n",
    "text:s": " ",
    "table:table-cell": "\t",
    "table:table-row": "\n",
  },
};

function bodyOf(xml: string): string {
  const start = xml.indexOf("<office:body");
  return start < 0 ? xml : xml.slice(start);
}

function textOf(entry: ZipEntry): string {
  return entry.read().toString("utf8");
}

function numbered(entries: readonly ZipEntry[], pattern: RegExp): ZipEntry[] {
  return entries
    .flatMap((entry) => {
      const match = pattern.exec(entry.name);
      return match === null ? [] : [{ entry, number: Number(match[1]) }];
    })
    .toSorted((one, other) => one.number - other.number)
    .map(({ entry }) => entry);
}

function sheetsText(sheets: readonly ZipEntry[], shared: ZipEntry | undefined): string {
  const strings = shared === undefined ? [] : elements(textOf(shared), "si").map(({ inner }) => stringOf(inner));
  return sheets
    .slice(0, MAX_SHEETS)
    .map((sheet, index) => {
      const rows = elements(textOf(sheet), "row").map(({ inner }) =>
        elements(inner, "c")
          .map((cell) => cellOf(cell, strings))
          .join("\t"),
      );
      return `--- Sheet ${index + 1} ---\n${rows.join("\n")}`;
    })
    .join("\n\n");
}

interface Element {
  readonly attributes: string;
  readonly inner: string;
}

function cellOf({ attributes, inner }: Element, strings: readonly string[]): string {
  const type = /\bt="(\w+)"/.exec(attributes)?.[1];
  if (type === "inlineStr") return stringOf(inner);
  const value = elements(inner, "v")[0]?.inner ?? "";
  return type === "s" ? (strings[Number(value)] ?? "") : decodeEntities(value);
}

const stringOf = (xml: string): string => xmlToText(xml, { textIn: new Set(["t"]), after: {} });

/** The elements of this name, which these documents never nest. */
function elements(xml: string, name: string): Element[] {
  const found: Element[] = [];
  const opening = `<${name}`;
  const ending = `</${name}>`;
  let at = 0;
  for (;;) {
    const open = xml.indexOf(opening, at);
    if (open < 0) return found;
    const close = xml.indexOf(">", open);
    if (close < 0) return found;
    at = close + 1;
    const attributes = xml.slice(open + opening.length, close);
    // Another element whose name only begins the same.
    if (!/^[\s/]|^$/.test(attributes)) continue;
    if (attributes.endsWith("/")) {
      found.push({ attributes, inner: "" });
      continue;
    }
    const end = xml.indexOf(ending, at);
    if (end < 0) return found;
    found.push({ attributes, inner: xml.slice(at, end) });
    at = end + ending.length;
  }
}
