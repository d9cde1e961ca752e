import { marked, type MarkedToken, type Token, type Tokens } from "marked";

/** Text within a line. `text` is as people should read it, with nothing of markdown left in it. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "strong" | "em" | "strike"; readonly content: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "link"; readonly label: string; readonly href: string }
  | { readonly kind: "break" };

/** What stands on lines of its own. */
export type Block =
  | { readonly kind: "paragraph"; readonly content: readonly Inline[] }
  | { readonly kind: "heading"; readonly level: number; readonly content: readonly Inline[] }
  | { readonly kind: "code"; readonly language: string; readonly text: string }
  | { readonly kind: "quote"; readonly content: readonly Block[] }
  | { readonly kind: "list"; readonly first: number | undefined; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "rule" };

/** Reads markdown as models write it. Never throws; what is no markdown is text, HTML included. */
export function parseMarkdown(markdown: string): Block[] {
  return readBlocks(marked.lexer(markdown, { gfm: true, breaks: true }));
}

/** The bare words of some inlines. */
function plainText(content: readonly Inline[]): string {
  return content.map(plainInline).join("");
}

function plainInline(inline: Inline): string {
  switch (inline.kind) {
    case "text":
    case "code":
      return inline.text;
    case "link":
      return inline.label;
    case "break":
      return " ";
    case "strong":
    case "em":
    case "strike":
      return plainText(inline.content);
  }
}

// marked types a token as one of its own or anything at all; without extensions it makes only its own.
const known = (tokens: readonly Token[]) => tokens as readonly MarkedToken[];

function readBlocks(tokens: readonly Token[]): Block[] {
  const blocks: Block[] = [];
  let loose: MarkedToken[] = [];
  const flush = () => {
    if (loose.length > 0) blocks.push({ kind: "paragraph", content: readInlines(loose) });
    loose = [];
  };
  for (const token of known(tokens)) {
    const block = readBlock(token);
    if (block === "inline") {
      loose.push(token);
      continue;
    }
    flush();
    if (block !== undefined) blocks.push(block);
  }
  flush();
  return blocks;
}

/** `inline` for what may stand in a list item without a paragraph; undefined for what nobody sees. */
function readBlock(token: MarkedToken): Block | "inline" | undefined {
  switch (token.type) {
    case "space":
    case "def":
      return undefined;
    case "paragraph":
      return { kind: "paragraph", content: readInlines(known(token.tokens)) };
    case "heading":
      return { kind: "heading", level: token.depth, content: readInlines(known(token.tokens)) };
    case "code":
      return { kind: "code", language: /^[\w+#.-]{1,30}/.exec(token.lang ?? "")?.[0] ?? "", text: token.text };
    case "blockquote":
      return { kind: "quote", content: readBlocks(token.tokens) };
    case "list":
      return {
        kind: "list",
        first: token.ordered ? Number(token.start) || 1 : undefined,
        items: token.items.map((item) => readBlocks(item.tokens)),
      };
    case "table":
      return readTable(token);
    case "hr":
      return { kind: "rule" };
    case "html":
      return token.block ? { kind: "paragraph", content: [textOf(token.text.trim())] } : "inline";
    default:
      return "inline";
  }
}

function readTable(table: Tokens.Table): Block {
  const cell = ({ tokens }: Tokens.TableCell) => plainText(readInlines(known(tokens)));
  return { kind: "table", head: table.header.map(cell), rows: table.rows.map((row) => row.map(cell)) };
}

/** Neighbouring pieces of text are one: what an escape parts for markdown is a word for everybody else. */
function readInlines(tokens: readonly MarkedToken[]): Inline[] {
  const joined: Inline[] = [];
  for (const inline of tokens.flatMap(readInline)) {
    const before = joined.at(-1);
    if (inline.kind === "text" && before?.kind === "text")
      joined[joined.length - 1] = textOf(before.text + inline.text);
    else joined.push(inline);
  }
  return joined;
}

function readInline(token: MarkedToken): Inline[] {
  switch (token.type) {
    case "strong":
    case "em":
      return [{ kind: token.type, content: readInlines(known(token.tokens)) }];
    case "del":
      return [{ kind: "strike", content: readInlines(known(token.tokens)) }];
    case "codespan":
      return [{ kind: "code", text: token.text }];
    case "br":
      return [{ kind: "break" }];
    case "link":
      return [{ kind: "link", label: plainText(readInlines(known(token.tokens))), href: token.href }];
    case "image":
      return [{ kind: "link", label: token.text || "image", href: token.href }];
    case "checkbox":
      return [textOf(token.checked ? "☑ " : "☐ ")];
    case "text":
      return token.tokens === undefined ? [textOf(unescapeHtml(token.text))] : readInlines(known(token.tokens));
    case "paragraph":
      return readInlines(known(token.tokens));
    case "escape":
      return [textOf(unescapeHtml(token.text))];
    default:
      return [textOf(token.raw)];
  }
}

const textOf = (text: string): Inline => ({ kind: "text", text });

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": " ",
};

/** People should read the signs that entities stand for. */
function unescapeHtml(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity] ?? entity);
}
