import { brotliCompress, brotliDecompressSync, constants } from "node:zlib";
import { promisify } from "node:util";

/**
 * Older journal lines as one compressed value: a version byte, then brotli. In version 2 the instants in it (13 digits)
 * stand as their distance from the one before, which is what makes them small.
 */
const VERSION = { plain: 1, distances: 2 } as const;
const INSTANT = /(?<!\d)1\d{12}(?!\d)/g;
// JSON holds no bare control character, so that a line which is whole never contains this mark.
const MARK = "\u0001";
const DISTANCE = new RegExp(`${MARK}(-?[0-9a-z]+);`, "g");

const compress = promisify(brotliCompress);

/** How much time packing may take: `quick` is a millisecond for 20 kB, `small` is thirty and a sixth smaller. */
export type Effort = "quick" | "small";
const QUALITY: Record<Effort, number> = { quick: 5, small: 11 };

/** Packs lines, oldest first. The work is done on another thread. */
export async function packLines(lines: readonly string[], effort: Effort = "quick"): Promise<Buffer> {
  const text = lines.join("\n");
  const marked = text.includes(MARK);
  const packed = await compress(marked ? text : toDistances(text), {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: QUALITY[effort],
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    },
  });
  return Buffer.concat([Buffer.from([marked ? VERSION.plain : VERSION.distances]), packed]);
}

/** Unpacks what {@link packLines} made. Throws when it was written by a newer version or is damaged. */
export function unpackLines(archive: Buffer): string[] {
  const [version] = archive;
  if (version !== VERSION.plain && version !== VERSION.distances)
    throw new Error(`an archive has the unknown version ${version}`);
  const text = brotliDecompressSync(archive.subarray(1)).toString("utf8");
  if (text === "") return [];
  return (version === VERSION.plain ? text : fromDistances(text)).split("\n");
}

function toDistances(text: string): string {
  let before = 0;
  return text.replace(INSTANT, (digits) => {
    const distance = Number(digits) - before;
    before = Number(digits);
    return `${MARK}${distance.toString(36)};`;
  });
}

function fromDistances(text: string): string {
  let before = 0;
  return text.replace(DISTANCE, (_mark, distance: string) => {
    before += Number.parseInt(distance, 36);
    return String(before);
  });
}
