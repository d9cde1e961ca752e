import { readdirSync, readFileSync } from "node:fs";

const DOCS = new URL("../docs/", import.meta.url);

/**
 * Text of exactly `length` characters as people write it: pieces of this project's own documentation, from places that
 * `chance` chooses. Random words would be no measure for what compression makes of a conversation.
 */
export function createTextSource(chance: () => number): (length: number) => string {
  const prose = readProse();
  return (length) => {
    const from = prose.indexOf(" ", Math.floor(chance() * (prose.length - length - 100))) + 1;
    return prose.slice(from, from + length);
  };
}

/** Paragraphs and lists, without headings, tables and code. */
function readProse(): string {
  const files = readdirSync(DOCS, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"));
  const lines = files.sort().flatMap((name) => {
    const text = readFileSync(new URL(name, DOCS), "utf8").replaceAll(/^```.*?^```$/gms, "");
    return text.split("\n").filter((line) => /^(- |\* |\d+\. )?[A-Za-z`]/.test(line));
  });
  return lines.map((line) => line.replace(/^(- |\* |\d+\. )/, "")).join(" ");
}
