import { inflateRawSync } from "node:zlib";

/** A file inside an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Unpacks it. Throws when it is damaged or when all that was unpacked so far would become too much. */
  read(): Buffer;
}

/** The archive is damaged, or would become too large when unpacked. `message` says so to its sender. */
export class BadZip extends Error {
  override readonly name = "BadZip";
}

const MAX_ENTRIES = 5_000;
const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

/**
 * Lists what is in an archive. What its headers say about sizes is not believed: unpacking stops at `maxBytes` over all
 * entries, however much more there would be. Throws {@link BadZip}.
 */
export function readZip(bytes: Buffer, maxBytes: number): readonly ZipEntry[] {
  let left = maxBytes;
  const end = findEnd(bytes);
  const count = bytes.readUInt16LE(end + 10);
  if (count > MAX_ENTRIES) throw new BadZip(`it holds more than ${MAX_ENTRIES} files`);
  const entries: ZipEntry[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL) throw damaged();
    const method = bytes.readUInt16LE(at + 10);
    const packed = bytes.readUInt32LE(at + 20);
    const nameLength = bytes.readUInt16LE(at + 28);
    const offset = bytes.readUInt32LE(at + 42);
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength);
    entries.push({
      name,
      read() {
        const content = unpack(slice(bytes, offset, packed), method, left);
        left -= content.length;
        return content;
      },
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

function findEnd(bytes: Buffer): number {
  // A comment of at most 65,535 bytes may follow the end record.
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 65_557); at--)
    if (bytes.readUInt32LE(at) === END) return at;
  throw damaged();
}

function slice(bytes: Buffer, offset: number, packed: number): Buffer {
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== LOCAL) throw damaged();
  const start = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  if (start + packed > bytes.length) throw damaged();
  return bytes.subarray(start, start + packed);
}

function unpack(data: Buffer, method: number, most: number): Buffer {
  if (method !== 0 && method !== 8) throw new BadZip("it is packed in a way that is not known here, or encrypted");
  if (method === 0) {
    if (data.length > most) throw tooLarge();
    return data;
  }
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, most) });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw damaged();
  }
}

function damaged(): BadZip {
  return new BadZip("it is damaged");
}

function tooLarge(): BadZip {
  return new BadZip("it becomes too large when unpacked");
}
