import { deflateRawSync, inflateRawSync } from "node:zlib";

/**
 * Older journal lines as one compressed value: a version byte, then deflate with a preset dictionary of what every
 * journal repeats. The version names the dictionary, which must never change once written; add a new version instead.
 */
const VERSION = 1;
const DICTIONARY = Buffer.from(
  [
    '.{"run":"","end":"failed","at":',
    '?{"s":"ai_call_1","e":"',
    '#{"asked":"tool_1_1","at":',
    '+{"at":17,"in":[{"id":"',
    '={"s":"tool_1_2","v":{"content":"{\\"error\\":{\\"code\\":\\"',
    '={"s":"tool_1_1","v":{"content":"","ok":true},"at":17',
    '={"s":"ai_call_1","v":{"text":"","toolCalls":[{"id":"call_","name":"memory_set","args":"{\\"key\\":\\"',
    '"}],"usage":{"inputTokens":',
    " the and to of is in that it you for on with as are be this have not can will your from ",
    '\n.{"run":"","end":"done","at":17',
    '}\n>{"run":"","at":17,"in":[{"id":"","conversationId":"api:","workspaceId":"","text":"","at":17',
    '}]}\n={"s":"ai_call_2","v":{"text":"","toolCalls":[],"usage":{"inputTokens":,"outputTokens":},"model":"gpt-"},"at":17,"ms":',
  ].join(""),
);

/** Packs lines, oldest first. */
export function packLines(lines: readonly string[]): Buffer {
  return Buffer.concat([
    Buffer.from([VERSION]),
    deflateRawSync(lines.join("\n"), { dictionary: DICTIONARY, level: 9, memLevel: 9 }),
  ]);
}

/** Unpacks what {@link packLines} made. Throws when it was written by a newer version or is damaged. */
export function unpackLines(archive: Buffer): string[] {
  if (archive[0] !== VERSION) throw new Error(`an archive has the unknown version ${archive[0]}`);
  const text = inflateRawSync(archive.subarray(1), { dictionary: DICTIONARY }).toString("utf8");
  return text === "" ? [] : text.split("\n");
}
