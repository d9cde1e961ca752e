import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, inject, onTestFinished, test } from "vitest";
import { identifyProcess, isRunning } from "./process-identity.ts";
import { probeRedis } from "./redis-probe.ts";
import { startRedisServer } from "./redis-server.ts";

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-server-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a server ends with the process that started it, even when that one is killed", async () => {
  const program = `
    const { startRedisServer } = await import(process.argv[1]);
    console.log((await startRedisServer({ command: process.argv[2], dir: process.argv[3] })).pid);`;
  const module = new URL("./redis-server.ts", import.meta.url).href;
  const child = spawn(
    process.execPath,
    ["--input-type=module", "-e", program, module, inject("redisCommand"), tempFolder()],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const server = identifyProcess(Number(line));
  expect(isRunning(server)).toBe(true);
  child.kill("SIGKILL");
  await expect.poll(() => isRunning(server)).toBe(false);
});

test("a server begins only after its process number was announced", async () => {
  const dir = tempFolder();
  const seen: unknown[] = [];
  const server = await startRedisServer({
    command: inject("redisCommand"),
    dir,
    announce: (pid) => seen.push(pid, isRunning(identifyProcess(pid))),
  });
  onTestFinished(() => server.kill());
  expect(seen).toEqual([server.pid, true]);

  const refused = startRedisServer({
    command: inject("redisCommand"),
    dir: tempFolder(),
    announce: () => {
      throw new Error("the disk is full");
    },
  });
  await expect(refused).rejects.toMatchObject({ cause: { message: "the disk is full" } });
});

test("an option that the server refuses is named in the error", async () => {
  const attempt = startRedisServer({
    command: inject("redisCommand"),
    dir: tempFolder(),
    args: ["--no-such-option", "1"],
  });
  await expect(attempt).rejects.toThrow("no-such-option");
});

test("stop and kill end it, and restart brings it back on the same socket", async () => {
  const server = await startRedisServer({ command: inject("redisCommand"), dir: tempFolder() });
  onTestFinished(() => server.kill());
  for (const end of ["stop", "kill"] as const) {
    await server[end]();
    expect(await probeRedis(server.socketPath)).toBe("nothing");
    await server.restart();
    expect(await probeRedis(server.socketPath)).toBe("ready");
  }
});
