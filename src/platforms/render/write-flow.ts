import type { Block, Inline } from "./document.ts";
import type { Flavour, Mark } from "./flavour.ts";
import type { FlowPiece, Rank } from "./flow.ts";
import { tableLines } from "./table.ts";

/** Where some blocks stand: what begins each of their lines, and what encloses them already. */
interface Place {
  readonly flavour: Flavour;
  readonly lineStart: string;
  /** The part of it that belongs to a quote: code is not indented, but quoted it can be. */
  readonly quoteStart: string;
  readonly marks: ReadonlySet<"strong" | "em" | "strike">;
  readonly quoted: boolean;
}

/** Writes blocks in a platform's flavour. */
export function writeFlow(blocks: readonly Block[], flavour: Flavour): FlowPiece[] {
  return writeBlocks(blocks, { flavour, lineStart: "", quoteStart: "", marks: new Set(), quoted: false }, true);
}

function writeBlocks(blocks: readonly Block[], place: Place, apart: boolean): FlowPiece[] {
  return blocks.flatMap((block, index) => {
    const at = block.kind === "code" || block.kind === "table" ? { ...place, lineStart: place.quoteStart } : place;
    const inItem = at.lineStart !== place.lineStart;
    const space = apart && !isTight(blocks[index - 1], block) ? blankLine(at) : newLine(at, 2);
    return [...(index > 0 || inItem ? space : []), ...writeBlock(block, at)];
  });
}

// A list follows the line that announces it.
const isTight = (before: Block | undefined, block: Block) => block.kind === "list" && before?.kind === "paragraph";

function newLine({ lineStart }: Place, rank: Rank): FlowPiece[] {
  return [{ kind: "gap", text: `\n${lineStart}`, rank }];
}

function blankLine({ lineStart }: Place): FlowPiece[] {
  return [{ kind: "gap", text: `\n${lineStart.trimEnd()}\n${lineStart}`, rank: 3 }];
}

function writeBlock(block: Block, place: Place): FlowPiece[] {
  const { flavour } = place;
  switch (block.kind) {
    case "paragraph":
      return writeInlines(block.content, place);
    case "heading": {
      const mark = flavour.heading(block.level);
      const marks = mark.open === flavour.strong.open ? new Set([...place.marks, "strong" as const]) : place.marks;
      return enclose(mark, writeInlines(block.content, { ...place, marks }));
    }
    case "code":
      return writeCode(block.text.split("\n"), block.language, place);
    case "table":
      return writeTable(block, place);
    case "rule":
      return [whole(flavour.rule)];
    case "list":
      return writeList(block, place);
    case "quote":
      return writeQuote(block.content, place);
  }
}

function writeQuote(content: readonly Block[], place: Place): FlowPiece[] {
  const { quote } = place.flavour;
  if (place.quoted) return writeBlocks(content, place, true); // platforms know one level only
  if (!("eachLine" in quote)) return enclose(quote, writeBlocks(content, { ...place, quoted: true }, true));
  const quoteStart = `${place.quoteStart}${quote.eachLine}`;
  const inside = { ...place, quoted: true, quoteStart, lineStart: `${place.lineStart}${quote.eachLine}` };
  return enclose({ open: quote.eachLine, close: "" }, writeBlocks(content, inside, true));
}

function writeList({ first, items }: Extract<Block, { kind: "list" }>, place: Place): FlowPiece[] {
  const inside = { ...place, lineStart: `${place.lineStart}   ` };
  return items.flatMap((item, index) => [
    ...(index === 0 ? [] : newLine(place, 2)),
    whole(first === undefined ? "• " : `${first + index}. `),
    ...writeBlocks(item, inside, false),
  ]);
}

function writeCode(lines: readonly string[], language: string, place: Place): FlowPiece[] {
  const { flavour } = place;
  const content = lines.flatMap((line, index): FlowPiece[] => [
    ...(index === 0 ? [] : newLine(place, 2)),
    { kind: "text", text: line, encode: flavour.escapeCode },
  ]);
  const { open, close } = flavour.codeBlock(language);
  const quoted = (text: string) => text.replaceAll("\n", `\n${place.quoteStart}`);
  return enclose({ open: quoted(open), close: quoted(close) }, content);
}

function writeTable({ head, rows }: Extract<Block, { kind: "table" }>, place: Place): FlowPiece[] {
  const lines = tableLines(head, rows);
  if (lines !== undefined) return writeCode(lines, "", place);
  const item = (row: readonly string[]): Block => ({
    kind: "paragraph",
    content: row.flatMap((cell, column): Inline[] => [
      ...(column === 0 ? [] : [{ kind: "break" } as const]),
      { kind: "strong", content: [{ kind: "text", text: `${head[column] ?? ""}:` }] },
      { kind: "text", text: ` ${cell}` },
    ]),
  });
  return writeList({ kind: "list", first: undefined, items: rows.map((row) => [item(row)]) }, place);
}

function writeInlines(content: readonly Inline[], place: Place): FlowPiece[] {
  const { flavour } = place;
  return content.flatMap((inline): FlowPiece[] => {
    switch (inline.kind) {
      case "text":
        return writeWords(inline.text, place);
      case "break":
        return newLine(place, 2);
      case "code":
        if (inline.text.trim() === "") return writeWords(inline.text, place);
        return [whole(flavour.code(inline.text), writeText(inline.text, place))];
      case "link":
        return [writeLink(inline.label, inline.href, place)];
      case "strong":
      case "em":
      case "strike": {
        if (place.marks.has(inline.kind)) return writeInlines(inline.content, place);
        const marks = new Set([...place.marks, inline.kind]);
        return enclose(flavour[inline.kind], writeInlines(inline.content, { ...place, marks }));
      }
    }
  });
}

function writeWords(text: string, place: Place): FlowPiece[] {
  return text.split(/(\s+)/).flatMap((piece): FlowPiece[] => {
    if (piece === "") return [];
    if (/^\s+$/.test(piece)) return piece.includes("\n") ? newLine(place, 2) : [{ kind: "gap", text: " ", rank: 1 }];
    return [writeText(piece, place)];
  });
}

function writeText(text: string, { flavour }: Place): FlowPiece {
  return { kind: "text", text, encode: flavour.escape };
}

const CLICKABLE = /^(https?:\/\/|mailto:|tel:)/i;

function writeLink(label: string, href: string, place: Place): FlowPiece {
  const bare = href.replace(/^mailto:/i, "");
  const both = label === "" || label === href || label === bare ? bare : `${label} (${bare})`;
  if (!CLICKABLE.test(href)) return writeText(both, place);
  return whole(place.flavour.link(label === "" ? bare : label, href), writeText(both, place));
}

function whole(text: string, instead: FlowPiece = { kind: "text", text, encode: String }): FlowPiece {
  return { kind: "whole", text, instead };
}

/** Nothing is enclosed where nothing is: an empty pair of marks would be read as text. */
function enclose(mark: Mark, content: FlowPiece[]): FlowPiece[] {
  if (!content.some((piece) => piece.kind === "text" || piece.kind === "whole")) return content;
  return [{ kind: "open", again: mark.open, ...mark }, ...content, { kind: "close" }];
}
