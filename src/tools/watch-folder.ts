import { createHash } from "node:crypto";
import { watch, type FSWatcher } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** What one file holds, or why it could not be read. */
export type FileContent = { readonly text: string } | { readonly problem: string };

/** What is in a folder: its files by name, in order. A folder that does not exist is empty. */
export type FolderContent =
  | { readonly files: ReadonlyMap<string, FileContent> }
  /** The folder is there but cannot be listed. */
  | { readonly problem: string };

/** A folder that is being watched. */
export interface FolderWatch {
  /** Looks at the folder now instead of when the next change is noticed; settles when the change was dealt with. */
  check(): Promise<void>;
  /** Stops watching, after a call of `onChange` that is under way. */
  close(): Promise<void>;
}

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the files of a folder and reads them again whenever their content changes; a mere touch is no change. Settles
 * when `onChange` has dealt with the first reading. Folders inside are not looked into.
 */
export async function watchFolder(options: {
  readonly dir: string;
  /** Which files count. */
  readonly accepts: (name: string) => boolean;
  /** Called with all files after each change, never twice at a time. Must not throw. */
  readonly onChange: (content: FolderContent) => Promise<void>;
  /** How long the folder must stay the same first: an editor may still be writing. */
  readonly debounceMs?: number;
  /** How often to look anyway, because some file systems tell of no change and a missing folder cannot be watched. */
  readonly pollMs?: number;
}): Promise<FolderWatch> {
  const { dir, accepts, onChange, debounceMs = 200, pollMs = 10_000 } = options;
  let seen: string | undefined;
  let closed = false;
  let watcher: FSWatcher | undefined;
  let quiet: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    if (closed) return;
    // Watching starts anew before each reading, so a replaced folder is noticed and no change falls in between.
    watcher?.close();
    watcher = watchFor(dir, soon);
    const found = await settle();
    const print = fingerprintOf(found);
    if (closed || print === seen) return;
    seen = print;
    await onChange(found);
  };
  // A file may be looked at while it is being written, and half a file can be a valid one: news counts when it stays.
  const settle = async (): Promise<FolderContent> => {
    let found = await readFolder(dir, accepts);
    // Nobody waits for an editor at the start, and everybody for the start.
    while (!closed && seen !== undefined && fingerprintOf(found) !== seen) {
      await delay(debounceMs, undefined, { ref: false });
      const again = await readFolder(dir, accepts);
      if (fingerprintOf(again) === fingerprintOf(found)) break;
      found = again;
    }
    return found;
  };
  let work = Promise.resolve();
  const check = (): Promise<void> => (work = work.then(look));
  const soon = (): void => {
    clearTimeout(quiet);
    if (!closed) quiet = setTimeout(() => void check(), debounceMs).unref();
  };

  await check();
  const poll = setInterval(() => void check(), pollMs).unref();
  return {
    check,
    close: async () => {
      closed = true;
      clearInterval(poll);
      clearTimeout(quiet);
      await work;
      watcher?.close();
    },
  };
}

async function readFolder(dir: string, accepts: (name: string) => boolean): Promise<FolderContent> {
  try {
    const names = (await readdir(dir)).filter(accepts).toSorted();
    const files = await Promise.all(names.map(async (name) => [name, await readOne(join(dir, name))] as const));
    // A file that went away while the others were read is simply not there.
    return { files: new Map(files.flatMap(([name, content]) => (content === undefined ? [] : [[name, content]]))) };
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOENT" ? { files: new Map() } : { problem: `the folder cannot be read (${code})` };
  }
}

async function readOne(path: string): Promise<FileContent | undefined> {
  try {
    const about = await stat(path);
    // Reading a pipe would wait for somebody to write to it.
    if (!about.isFile()) return { problem: "is not a file" };
    if (about.size > MAX_FILE_BYTES) return { problem: `is larger than ${MAX_FILE_BYTES} bytes` };
    return { text: await readFile(path, "utf8") };
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOENT" ? undefined : { problem: `cannot be read (${code})` };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "failed";
}

function fingerprintOf(content: FolderContent): string {
  const text = JSON.stringify("problem" in content ? content : [...content.files]);
  return createHash("sha256").update(text).digest("hex");
}

function watchFor(dir: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dir, { persistent: false }, onEvent);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    // The folder is not there or the system has no watches left; the poll still looks.
    return undefined;
  }
}
