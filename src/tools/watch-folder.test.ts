import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { watchFolder, type FolderContent } from "./watch-folder.ts";

const NEVER_MS = 2 ** 30;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-folder-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
});

describe("a watched folder", () => {
  test("is read before the watch is handed out: the files that count, by name, and what is wrong with one", async () => {
    await write("b.txt", "B");
    await write("a.txt", "A");
    await write("other.md", "");
    await mkdir(join(dir, "sub.txt"));
    const { seen } = await start();
    expect(seen).toEqual([
      { files: { "a.txt": { text: "A" }, "b.txt": { text: "B" }, "sub.txt": { problem: "is not a file" } } },
    ]);
  });

  test("that does not exist is empty, and is found when it appears", async () => {
    const missing = join(dir, "later");
    const { seen, change } = await start({ dir: missing, pollMs: 10 });
    expect(seen).toEqual([{ files: {} }]);
    const changed = change();
    await mkdir(join(dir, "made"));
    await writeFile(join(dir, "made", "a.txt"), "A");
    await rename(join(dir, "made"), missing);
    await changed;
    expect(seen.at(-1)).toEqual({ files: { "a.txt": { text: "A" } } });
  });

  test("that cannot be listed is not taken for an empty one", async () => {
    await write("file", "");
    const { seen } = await start({ dir: join(dir, "file") });
    expect(seen).toEqual([{ problem: "the folder cannot be read (ENOTDIR)" }]);
  });

  test("tells of a change by itself, of new and of deleted files", async () => {
    const { seen, change } = await start();
    const made = change();
    await write("a.txt", "A");
    await made;
    const gone = change();
    await rm(join(dir, "a.txt"));
    await gone;
    expect(seen).toEqual([{ files: {} }, { files: { "a.txt": { text: "A" } } }, { files: {} }]);
  });

  test("tells nothing of a mere touch, nor of files that do not count", async () => {
    await write("a.txt", "A");
    const { seen, folder } = await start();
    await utimes(join(dir, "a.txt"), new Date(), new Date());
    await write("other.md", "x");
    await folder.check();
    expect(seen).toHaveLength(1);
  });

  test("is not read while it is being changed: two readings have to agree", async () => {
    const { seen, folder } = await start({ debounceMs: 40 });
    await write("a.txt", "half");
    const checking = folder.check();
    await write("a.txt", "whole");
    await checking;
    await folder.check();
    expect(seen.slice(1)).toEqual([{ files: { "a.txt": { text: "whole" } } }]);
  });

  test("waits for one change to be dealt with before it tells of the next", async () => {
    let busy = 0;
    let most = 0;
    const folder = await watchFolder({
      dir,
      accepts: () => true,
      debounceMs: 1,
      pollMs: NEVER_MS,
      onChange: async () => {
        most = Math.max(most, ++busy);
        await new Promise((done) => setImmediate(done));
        busy--;
      },
    });
    onTestFinished(() => folder.close());
    for (const text of ["1", "2", "3"]) {
      await write("a.txt", text);
      await Promise.all([folder.check(), folder.check()]);
    }
    expect(most).toBe(1);
  });

  test("tells nothing any more once it is closed", async () => {
    const { seen, folder } = await start({ pollMs: 5 });
    await folder.close();
    await write("a.txt", "A");
    await folder.check();
    expect(seen).toHaveLength(1);
  });
});

const write = (name: string, text: string) => writeFile(join(dir, name), text);

/** Starts watching the `.txt` files; `seen` is what was told, `change` waits for the next. */
async function start(options: Partial<Parameters<typeof watchFolder>[0]> = {}) {
  const events = new EventEmitter();
  const seen: unknown[] = [];
  const folder = await watchFolder({
    dir,
    accepts: (name) => name.endsWith(".txt"),
    debounceMs: 5,
    pollMs: NEVER_MS,
    onChange: async (content) => {
      seen.push(plain(content));
      events.emit("change");
    },
    ...options,
  });
  onTestFinished(() => folder.close());
  return { folder, seen, change: () => once(events, "change") };
}

function plain(content: FolderContent) {
  return "problem" in content ? content : { files: Object.fromEntries(content.files) };
}
