import type { MessageEntity } from "grammy/types";

/** Why Telegram refuses a text with HTML. */
export class BadHtml extends Error {}

export interface ParsedText {
  readonly text: string;
  readonly entities: MessageEntity[];
}

const TYPES: Readonly<Record<string, MessageEntity["type"]>> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  code: "code",
  pre: "pre",
  a: "text_link",
  blockquote: "blockquote",
  "tg-spoiler": "spoiler",
};

interface OpenTag {
  readonly name: string;
  readonly offset: number;
  readonly attributes: string;
  /** Of a block of code: what the code inside it says. */
  language?: string;
}

/** Reads Telegram's HTML as the Bot API does: what it does not know it refuses, with the words of the real one. */
export function parseHtml(html: string): ParsedText {
  let text = "";
  const open: OpenTag[] = [];
  const entities: MessageEntity[] = [];
  for (let at = 0; at < html.length;) {
    const rest = html.slice(at);
    if (rest.startsWith("<")) {
      const tag = /^<(\/?)([a-z-]+)((?:\s+[a-z]+(?:="[^"]*")?)*)\s*>/i.exec(rest);
      if (tag === null) throw new BadHtml(unsupported(/^<\/?([^\s>]*)/.exec(rest)?.[1] ?? "", html, at));
      const name = tag[2]?.toLowerCase() ?? "";
      if (TYPES[name] === undefined) throw new BadHtml(unsupported(name, html, at));
      if (tag[1] === "/") entities.push(...closeTag(name, open, text, html, at));
      else open.push({ name, offset: text.length, attributes: tag[3] ?? "" });
      at += tag[0].length;
      continue;
    }
    const sign = /^&(?:lt|gt|amp|quot|#\d+);/.exec(rest)?.[0];
    text += sign === undefined ? html.charAt(at) : signOf(sign);
    at += sign?.length ?? 1;
  }
  const left = open.at(-1);
  if (left !== undefined) throw new BadHtml(`Can't find end tag corresponding to start tag "${left.name}"`);
  return { text, entities: entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length) };
}

function closeTag(name: string, open: OpenTag[], text: string, html: string, at: number): MessageEntity[] {
  const begun = open.pop();
  if (begun === undefined) throw new BadHtml(`Unexpected end tag at byte offset ${bytes(html, at)}`);
  if (begun.name !== name)
    throw new BadHtml(
      `Unmatched end tag at byte offset ${bytes(html, at)}, expected "</${begun.name}>", found "</${name}>"`,
    );
  const around = open.at(-1);
  const language = /class="language-([^"]*)"/.exec(begun.attributes)?.[1];
  // Code in a block only names the block's language.
  if (name === "code" && around?.name === "pre") {
    if (language !== undefined) around.language = language;
    return [];
  }
  const span = { offset: begun.offset, length: text.length - begun.offset };
  if (span.length === 0) return [];
  const type = TYPES[name];
  if (type === "text_link") {
    const url = /href="([^"]*)"/.exec(begun.attributes)?.[1];
    return url === undefined ? [] : [{ ...span, type, url }];
  }
  if (type === "pre") return [{ ...span, type, ...(begun.language === undefined ? {} : { language: begun.language }) }];
  return type === undefined ? [] : [{ ...span, type } as MessageEntity];
}

const bytes = (html: string, at: number): number => Buffer.byteLength(html.slice(0, at));

const unsupported = (name: string, html: string, at: number): string =>
  `Unsupported start tag "${name}" at byte offset ${bytes(html, at)}`;

function signOf(sign: string): string {
  switch (sign) {
    case "&lt;":
      return "<";
    case "&gt;":
      return ">";
    case "&amp;":
      return "&";
    case "&quot;":
      return '"';
    default:
      return String.fromCodePoint(Number(sign.slice(2, -1)));
  }
}
