import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { privateRedis } from "../../test/setup/redis.ts";
import { repairAppendOnlyFile } from "./repair-aof.ts";

const command = (...parts: string[]) =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;

/** A server's folder whose append-only file reads like this. */
function folderWith(
  text: string,
  manifest = "file appendonly.aof.1.base.rdb seq 1 type b\nfile last.aof seq 1 type i\n",
) {
  const dir = mkdtempSync(join(tmpdir(), "parley-aof-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, "appendonlydir"));
  writeFileSync(join(dir, "appendonlydir/appendonly.aof.manifest"), manifest);
  const path = join(dir, "appendonlydir/last.aof");
  writeFileSync(path, text);
  return { dir, path, read: () => readFileSync(path, "utf8") };
}

describe("the append-only file of a server that was killed", () => {
  const before = command("SELECT", "0") + command("SET", "ä", "x\r\n*1\r\n$5\r\nMULTI\r\n") + command("INCR", "n");
  const transaction =
    command("MULTI") + command("RPUSH", "list", "y".repeat(200)) + command("HDEL", "own", "lane") + command("EXEC");

  test("loses the transaction in which it ends, wherever that was cut, and nothing else", () => {
    const whole = Buffer.from(before + transaction);
    const start = Buffer.byteLength(before);
    for (let end = start; end <= whole.length; end++) {
      const { dir, path, read } = folderWith("");
      writeFileSync(path, whole.subarray(0, end));
      // Cut within its first command it is no transaction yet: the server removes that command itself.
      const isOpen = end >= start + command("MULTI").length && end < whole.length;
      expect(repairAppendOnlyFile(dir)).toEqual(isOpen ? { path, removedBytes: end - start } : undefined);
      expect(read()).toBe(isOpen ? before : whole.subarray(0, end).toString());
    }
  });

  test.each([
    { given: "it is empty", text: "" },
    { given: "it ends as it should", text: before + transaction + before },
    { given: "a plain command is cut", text: before + "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$10\r\nabc" },
    { given: "it is damaged before its end", text: `${before}${command("MULTI")}garbage\r\n${"z".repeat(500)}` },
    { given: "it is damaged by zeros", text: `${before}${command("MULTI")}${"\0".repeat(4096)}` },
    { given: "it has time stamps", text: `#TS:1700000000\r\n${before}#TS:1700000001\r\n${transaction}` },
  ])("stays as it is when $given", ({ text }) => {
    const { dir, read } = folderWith(text);
    expect(repairAppendOnlyFile(dir)).toBeUndefined();
    expect(read()).toBe(text);
  });

  test.each([
    { given: "there is none", manifest: "" },
    { given: "the manifest names one that is missing", manifest: "file gone.aof seq 1 type i\n" },
  ])("is not asked for when $given", ({ manifest }) => {
    const { dir } = folderWith(command("MULTI"), manifest);
    expect(repairAppendOnlyFile(dir)).toBeUndefined();
    expect(repairAppendOnlyFile(tmpdir())).toBeUndefined();
  });

  test("is read to its end when it is larger than what is read at once", () => {
    const big = command("SET", "big", "b".repeat(3_000_000)) + command("SET", "k", "v").repeat(50_000);
    const half = command("MULTI") + command("SET", "half", "1");
    const { dir, read } = folderWith(big + half);
    expect(repairAppendOnlyFile(dir)).toMatchObject({ removedBytes: half.length });
    expect(read()).toBe(big);
  });
});

test("a server killed twice, the first time in the middle of writing a script down, has all it acknowledged", async () => {
  const server = await privateRedis({ args: ["--save", "", "--appendonly", "yes", "--appendfsync", "always"] });
  const dir = join(server.socketPath, "..");
  const redis = new Redis({ path: server.socketPath, maxRetriesPerRequest: null });
  redis.on("error", () => undefined);
  onTestFinished(() => redis.disconnect());
  const end = () =>
    redis.eval(
      `redis.call("RPUSH", "owned", "end") redis.call("RENAME", "owned", "journal") redis.call("HDEL", "own", "lane") return 1`,
      0,
    );
  await redis.rpush("owned", "begun", "done");
  await redis.hset("own", "lane", "run");
  await end();
  await server.kill();
  const path = join(dir, "appendonlydir/appendonly.aof.1.incr.aof");
  const written = readFileSync(path);
  // As if it had been killed with the last command of the script half written.
  writeFileSync(path, written.subarray(0, written.lastIndexOf("HDEL") + 2));

  expect(repairAppendOnlyFile(dir)).toMatchObject({ path });
  await server.restart();
  expect(await redis.lrange("owned", 0, -1)).toEqual(["begun", "done"]);
  // Its client never heard of it and sends it again; this time it is acknowledged.
  await end();
  await server.kill();
  expect(repairAppendOnlyFile(dir)).toBeUndefined();
  await server.restart();
  expect(await redis.lrange("journal", 0, -1)).toEqual(["begun", "done", "end"]);
  expect(await redis.exists("own")).toBe(0);
});
