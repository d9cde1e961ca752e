import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { withFolderLock } from "./folder-lock.ts";
import { identifyProcess } from "./process-identity.ts";

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const options = { name: "lock", waitMs: 15_000 };

test("only one of many callers in one process works at a time, and all get their turn", async () => {
  const folder = tempFolder();
  let inside = 0;
  const seen: number[] = [];
  const results = Array.from({ length: 8 }, (_, n) =>
    withFolderLock(folder, options, async () => {
      seen.push(++inside);
      await new Promise(setImmediate);
      inside--;
      return n;
    }),
  );
  expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(seen).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
});

test("processes that find a dead holder's lock at the same time still take turns", async () => {
  const folder = tempFolder();
  const dead = spawn(process.execPath, ["-e", ""]);
  await new Promise((done) => dead.once("exit", done));
  writeFileSync(join(folder, "lock.7"), JSON.stringify({ pid: dead.pid }));
  writeFileSync(join(folder, "count"), "0");

  // Reading and writing back without the lock would lose most of these.
  const program = `
    const { withFolderLock } = await import(process.argv[1]);
    const { readFileSync, writeFileSync } = await import("node:fs");
    for (let i = 0; i < 5; i++)
      await withFolderLock(process.argv[2], ${JSON.stringify(options)}, async () => {
        const count = Number(readFileSync(process.argv[3], "utf8"));
        await new Promise((done) => setTimeout(done, 2));
        writeFileSync(process.argv[3], String(count + 1));
      });`;
  const module = new URL("./folder-lock.ts", import.meta.url).href;
  const run = () =>
    new Promise((done) => {
      const args = ["--input-type=module", "-e", program, module, folder, join(folder, "count")];
      spawn(process.execPath, args, { stdio: "inherit" }).once("exit", done);
    });
  expect(await Promise.all([run(), run(), run(), run()])).toEqual([0, 0, 0, 0]);
  expect(readFileSync(join(folder, "count"), "utf8")).toBe("20");
  expect(readdirSync(folder).filter((file) => file.startsWith("lock."))).toHaveLength(1);
});

test("a living holder is waited for no longer than asked, and named", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "lock.1"), JSON.stringify(identifyProcess(process.pid)));
  const attempt = withFolderLock(folder, { name: "lock", waitMs: 0 }, async () => "done");
  await expect(attempt).rejects.toThrow(`process ${process.pid} has kept the lock ${join(folder, "lock")}`);
});

test("a later process with the dead holder's number does not keep the lock", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "lock.1"), JSON.stringify({ pid: process.pid, began: "another boot/1" }));
  expect(await withFolderLock(folder, { name: "lock", waitMs: 0 }, async () => "done")).toBe("done");
});

test("work that fails gives the lock up and its error through", async () => {
  const folder = tempFolder();
  const failing = withFolderLock(folder, options, () => Promise.reject(new Error("broken")));
  await expect(failing).rejects.toThrow("broken");
  expect(await withFolderLock(folder, { name: "lock", waitMs: 0 }, async () => "done")).toBe("done");
});
