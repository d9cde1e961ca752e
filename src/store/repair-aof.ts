import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";

/** What was cut off a server's append-only file. */
export interface AofRepair {
  readonly path: string;
  readonly removedBytes: number;
}

/**
 * Call it before a server is started on `dir`. When the server was killed while it wrote down what a script had done,
 * the file ends in the middle of a transaction. Redis 7 cuts off only the broken command and leaves the transaction
 * open in the file (valkey-io/valkey#4342); at the next start but one it then does that half transaction together with
 * what was written after it. This cuts off the whole of it, which nobody had been told was done. Files that end as they
 * should, and those it cannot read, stay as they are. Returns undefined when nothing was cut off.
 */
export function repairAppendOnlyFile(dir: string): AofRepair | undefined {
  const path = lastIncrement(join(dir, "appendonlydir"));
  if (path === undefined) return undefined;
  const file = openSync(path, "r+");
  try {
    const { openTransactionAt, size } = scan(file);
    if (openTransactionAt === undefined) return undefined;
    ftruncateSync(file, openTransactionAt);
    return { path, removedBytes: size - openTransactionAt };
  } finally {
    closeSync(file);
  }
}

/** The file that the server last wrote to, from the manifest: `file <name> seq <number> type <i|b|h>`. */
function lastIncrement(folder: string): string | undefined {
  const manifest = join(folder, "appendonly.aof.manifest");
  if (!existsSync(manifest)) return undefined;
  const names = [...readFileSync(manifest, "utf8").matchAll(/^file (\S+) seq \d+ type i/gm)].map(([, name]) => name);
  const path = join(folder, names.at(-1) ?? "");
  return names.length > 0 && existsSync(path) ? path : undefined;
}

interface Scan {
  /** Where the transaction begins that has no end, if there is one. */
  readonly openTransactionAt: number | undefined;
  readonly size: number;
}

/** Reads commands (`*2`, `$3`, `foo`, …) to the end of the file; what is none is a matter for the server. */
function scan(file: number): Scan {
  const { size } = fstatSync(file);
  const reader = createReader(file, size);
  let openTransactionAt: number | undefined;
  for (;;) {
    const at = reader.position();
    const header = reader.line();
    // A time stamp, if the server writes them.
    if (header?.startsWith("#") === true) continue;
    const name = header === undefined ? undefined : passCommand(reader, header);
    if (name === undefined) break;
    if (name === "MULTI") openTransactionAt = at;
    if (name === "EXEC") openTransactionAt = undefined;
  }
  return { openTransactionAt: reader.ranOut() ? openTransactionAt : undefined, size };
}

/** The name of the command, or undefined when it is not complete or none at all. */
function passCommand(reader: Reader, header: string): string | undefined {
  const parts = readCount(header, "*");
  if (parts === undefined) return undefined;
  let name = "";
  for (let part = 0; part < parts; part++) {
    const bytes = readCount(reader.line() ?? "", "$");
    if (bytes === undefined) return undefined;
    if (part === 0) name = (reader.text(bytes) ?? "").toUpperCase();
    else reader.pass(bytes);
    if (reader.text(2) !== "\r\n") return undefined;
  }
  return name;
}

function readCount(header: string, sign: "*" | "$"): number | undefined {
  const match = /^([*$])(\d{1,15})$/.exec(header);
  return match?.[1] === sign ? Number(match[2]) : undefined;
}

type Reader = ReturnType<typeof createReader>;
const CHUNK = 1 << 20;
/** Longer than any header or command name; whatever is longer is not ours to read. */
const LONGEST = 64;

function createReader(file: number, size: number) {
  const buffer = Buffer.alloc(CHUNK);
  // The buffer holds the file from `start` on; `position` is where to read next.
  let [start, filled, position] = [0, 0, 0];
  let ranOut = false;

  /** What the file holds at the position, at most `LONGEST` bytes. */
  function ahead(): Buffer {
    if (position < start || position + LONGEST > start + filled) {
      start = position;
      filled = readSync(file, buffer, 0, CHUNK, start);
    }
    return buffer.subarray(position - start, Math.min(position - start + LONGEST, filled));
  }

  return {
    position: () => position,
    /** True when something was asked for that the file ends before. */
    ranOut: () => ranOut,
    line(): string | undefined {
      const bytes = ahead();
      const end = bytes.indexOf("\r\n");
      if (end < 0) {
        if (position + LONGEST > size) ranOut = true;
        return undefined;
      }
      position += end + 2;
      return bytes.toString("latin1", 0, end);
    },
    text(length: number): string | undefined {
      if (position + length > size) ranOut = true;
      if (ranOut || length > LONGEST) return undefined;
      const text = ahead().toString("latin1", 0, length);
      position += length;
      return text;
    },
    pass(length: number): void {
      position += length;
    },
  };
}
