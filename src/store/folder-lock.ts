import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { OutsideError } from "../kernel/errors.ts";
import { identifyProcess, isRunning } from "./process-identity.ts";

/** Which lock, and how long to wait for whoever holds it. */
export interface FolderLockOptions {
  readonly name: string;
  readonly waitMs: number;
}

/**
 * Runs `work` while nobody else, in this process or another, runs it for the same folder and name. A holder that died
 * no longer counts. Throws `OutsideError` when a living one keeps it longer than `waitMs`. The launcher uses this before
 * dependencies are installed, so it needs nothing but Node's own modules.
 */
export async function withFolderLock<T>(
  folder: string,
  { name, waitMs }: FolderLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const giveUpAt = performance.now() + waitMs;
  let mine = tryTake(folder, name);
  while ("heldBy" in mine) {
    if (performance.now() > giveUpAt)
      throw new OutsideError(
        `process ${mine.heldBy} has kept the lock ${join(folder, name)} for more than ${waitMs / 1000} s`,
        { code: "timeout" },
      );
    await delay(POLL_MS);
    mine = tryTake(folder, name);
  }
  try {
    return await work();
  } finally {
    writeWhole(folder, mine.file, FREE);
  }
}

const POLL_MS = 25;
const FREE = "free";

/**
 * Locks are numbered files and only the highest counts. Breaking a dead holder's lock means creating the next number,
 * which only one can do; numbers never go down, so whoever looked long ago finds a higher one and steps back. Deleting
 * and re-creating one file instead would let two breakers both succeed.
 */
function tryTake(folder: string, name: string): { file: string } | { heldBy: number } {
  const last = highest(folder, name);
  const holder = last === 0 ? undefined : readHolder(join(folder, `${name}.${last}`));
  if (holder !== undefined && isRunning(holder)) return { heldBy: holder.pid };

  const file = `${name}.${last + 1}`;
  const draft = writeDraft(folder, file, JSON.stringify(identifyProcess(process.pid)));
  try {
    linkSync(draft, join(folder, file));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return tryTake(folder, name);
    throw error;
  } finally {
    rmSync(draft);
  }
  if (highest(folder, name) !== last + 1) {
    rmSync(join(folder, file), { force: true });
    return tryTake(folder, name);
  }
  for (const older of numbers(folder, name))
    if (older <= last) rmSync(join(folder, `${name}.${older}`), { force: true });
  return { file };
}

function highest(folder: string, name: string): number {
  return Math.max(0, ...numbers(folder, name));
}

function numbers(folder: string, name: string): number[] {
  return readdirSync(folder).flatMap((file) => {
    const rest = file.startsWith(`${name}.`) ? file.slice(name.length + 1) : "";
    return /^\d+$/.test(rest) ? [Number(rest)] : [];
  });
}

function readHolder(path: string): { pid: number; began?: string } | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null || !("pid" in value) || typeof value.pid !== "number")
      return undefined;
    return "began" in value && typeof value.began === "string"
      ? { pid: value.pid, began: value.began }
      : { pid: value.pid };
  } catch {
    // Released, or removed by a newer holder; the caller's next look settles which.
    return undefined;
  }
}

function writeWhole(folder: string, file: string, text: string): void {
  renameSync(writeDraft(folder, file, text), join(folder, file));
}

function writeDraft(folder: string, file: string, text: string): string {
  const draft = join(folder, `.${file}.${randomUUID()}`);
  writeFileSync(draft, text);
  return draft;
}
