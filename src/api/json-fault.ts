/** Where a text stops being JSON, counted from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** What was found there, or what is missing. */
  readonly found: string;
}

/**
 * Finds the place where a text stops being JSON; undefined when all of it is. The engine's own parser tells the place
 * for some mistakes only, and shows pieces of the text.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    at = skip(SPACE, text, at) ?? at;
    if (at >= text.length) return expected === "end" ? undefined : describe(text, at);
    const token = readToken(text, at);
    if (token === undefined) return describe(text, at);
    const next = step(expected, token.kind, open);
    if (next === undefined) return describe(text, at);
    expected = next;
    at = token.end;
  }
}

type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or close" | "end";
type Kind = "scalar" | "string" | "{" | "[" | "}" | "]" | ":" | ",";

const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function readToken(text: string, at: number): { readonly kind: Kind; readonly end: number } | undefined {
  const first = text.charAt(at);
  switch (first) {
    case "{":
    case "[":
    case "}":
    case "]":
    case ":":
    case ",":
      return { kind: first, end: at + 1 };
    default: {
      const kind = first === '"' ? "string" : "scalar";
      const end = kind === "string" ? skipString(text, at) : skip(SCALAR, text, at);
      return end === undefined ? undefined : { kind, end };
    }
  }
}

/** By hand: a pattern with a choice in a loop runs out of stack in a string of some megabytes, such as a file. */
function skipString(text: string, from: number): number | undefined {
  let at = from + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) {
      const end = skip(ESCAPE, text, at);
      if (end === undefined) return undefined;
      at = end;
    } else if (code >= 0x20) at += 1;
    // A control character, or NaN: the end of the text.
    else return undefined;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function skip(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function step(expected: Expected, kind: Kind, open: ("{" | "[")[]): Expected | undefined {
  switch (expected) {
    case "value":
    case "value or ]":
      if (kind === "]" && expected === "value or ]") return close(open);
      if (kind === "{" || kind === "[") {
        open.push(kind);
        return kind === "{" ? "key or }" : "value or ]";
      }
      return kind === "scalar" || kind === "string" ? after(open) : undefined;
    case "key":
    case "key or }":
      if (kind === "}" && expected === "key or }") return close(open);
      return kind === "string" ? ":" : undefined;
    case ":":
      return kind === ":" ? "value" : undefined;
    case ", or close": {
      const inside = open.at(-1);
      if (kind === ",") return inside === "{" ? "key" : "value";
      return kind === (inside === "{" ? "}" : "]") ? close(open) : undefined;
    }
    case "end":
      return undefined;
  }
}

function close(open: ("{" | "[")[]): Expected {
  open.pop();
  return after(open);
}

function after(open: readonly ("{" | "[")[]): Expected {
  return open.length === 0 ? "end" : ", or close";
}

function describe(text: string, at: number): JsonFault {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  const point = text.codePointAt(at);
  return {
    line: before.split("\n").length,
    column: at - lineStart + 1,
    found: point === undefined ? "the end of the body" : JSON.stringify(String.fromCodePoint(point)),
  };
}
