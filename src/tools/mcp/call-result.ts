import { isDeepStrictEqual } from "node:util";
import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/client";
import { describeError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/json.ts";

/** A file that came in a result. */
export interface ResultFile {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

/** Keeps a file and says in a few words where, for instance `artifact "chart.png"`. */
export type KeepFile = (file: ResultFile) => Promise<string>;

/** The longest text taken from one result, in characters. */
const MAX_TEXT_CHARS = 400_000;
/** How many blocks of one result are looked at. */
const MAX_BLOCKS = 200;

/**
 * What the model gets from a result: its data when there is nothing but data, else text in which files stand as a line
 * about them. With `keep`, files are kept; a file that cannot be is still described, because the call was made.
 */
export async function readCallResult(result: CallToolResult, keep?: KeepFile): Promise<unknown> {
  const data = result.structuredContent;
  const blocks = result.content.slice(0, MAX_BLOCKS);
  if (data !== undefined && blocks.every((block) => repeats(block, data))) return data;
  const parts: string[] = [];
  for (const [index, block] of blocks.entries()) parts.push(await describeBlock(block, index, keep));
  if (result.content.length > MAX_BLOCKS) parts.push(`[${result.content.length - MAX_BLOCKS} more parts are left out]`);
  if (data !== undefined && !blocks.some((block) => repeats(block, data) || unwraps(block, data)))
    parts.push(JSON.stringify(data));
  return limit(parts.filter((part) => part !== "").join("\n\n"));
}

// Servers send data a second time as text, for clients that know nothing of data.
function repeats(block: ContentBlock, data: unknown): boolean {
  return block.type === "text" && isDeepStrictEqual(parseJson(block.text), data);
}

// Some make data of a text by putting it into an object as its only value.
function unwraps(block: ContentBlock, data: unknown): boolean {
  if (block.type !== "text" || typeof data !== "object" || data === null) return false;
  const [value, ...more] = Object.values(data) as unknown[];
  return more.length === 0 && (value === block.text || isDeepStrictEqual(parseJson(block.text), value));
}

function describeBlock(block: ContentBlock, index: number, keep: KeepFile | undefined): Promise<string> | string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return describeFile(block.type, fileOf(`${block.type}-${index + 1}`, block.mimeType, block.data), keep);
    case "resource_link":
      return `[link to a resource: ${facts([block.title ?? block.name, block.uri, block.mimeType, bytes(block.size)])}]${block.description === undefined ? "" : ` ${block.description}`}`;
    case "resource": {
      const { resource } = block;
      if ("text" in resource) return `[resource: ${facts([resource.uri, resource.mimeType])}]\n${resource.text}`;
      return describeFile("file", fileOf(nameIn(resource.uri), resource.mimeType, resource.blob), keep, resource.uri);
    }
  }
}

function fileOf(name: string, mimeType: string | undefined, base64: string): ResultFile {
  const type = mimeType !== undefined && /^[\w.+-]+\/[\w.+-]+$/.test(mimeType) ? mimeType : "application/octet-stream";
  return { name, mimeType: type, bytes: Buffer.from(base64, "base64") };
}

async function describeFile(what: string, file: ResultFile, keep?: KeepFile, uri?: string): Promise<string> {
  const about = facts([uri, file.mimeType, bytes(file.bytes.length)]);
  if (keep === undefined) return `[${what}: ${about}; its content cannot be shown here]`;
  try {
    return `[${what}: ${about}; kept as ${await keep(file)}]`;
  } catch (error) {
    return `[${what}: ${about}; it could not be kept: ${describeError(error)}]`;
  }
}

function nameIn(uri: string): string {
  return /([^/?#]{1,100})\/?(?:[?#].*)?$/s.exec(uri)?.[1]?.replaceAll(/[^\w.-]+/g, "_") ?? "file";
}

function facts(known: readonly (string | undefined)[]): string {
  return known.filter((fact) => fact !== undefined && fact !== "").join(", ");
}

function bytes(count: number | undefined): string | undefined {
  return count === undefined ? undefined : `${count} bytes`;
}

function limit(text: string): string {
  if (text.length <= MAX_TEXT_CHARS) return text;
  return `${text.slice(0, MAX_TEXT_CHARS)}\n[cut: ${text.length - MAX_TEXT_CHARS} of ${text.length} characters are not shown]`;
}
