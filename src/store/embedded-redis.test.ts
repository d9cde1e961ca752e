import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { silentLog } from "../kernel/ports.ts";
import { type EmbeddedRedis, startEmbeddedRedis } from "./embedded-redis.ts";
import { identifyProcess, isRunning, type ProcessIdentity } from "./process-identity.ts";

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-embedded-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const env = () => ({
  ...process.env,
  PATH: [dirname(inject("redisCommand")), process.env["PATH"]].join(delimiter),
});

async function startHere(dataDir: string): Promise<EmbeddedRedis> {
  const embedded = await startEmbeddedRedis({ dataDir, log: silentLog, env: env() });
  onTestFinished(() => embedded.stop());
  return embedded;
}

interface Elsewhere {
  readonly child: ChildProcess;
  readonly socketPath: string;
  readonly owned: boolean;
  /** Calls `stop` there and waits until the process is gone. */
  stop(): Promise<void>;
}

/** Another process that starts or joins the server and keeps it until told otherwise. */
async function startElsewhere(dataDir: string): Promise<Elsewhere> {
  const program = `
    const { startEmbeddedRedis } = await import(process.argv[1]);
    const quiet = () => {};
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, with: () => log };
    const embedded = await startEmbeddedRedis({ dataDir: process.argv[2], log });
    console.log(JSON.stringify({ socketPath: embedded.socketPath, owned: embedded.owned }));
    process.stdin.on("end", () => embedded.stop()).resume();`;
  const module = new URL("./embedded-redis.ts", import.meta.url).href;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, module, dataDir], {
    stdio: ["pipe", "pipe", "inherit"],
    env: env(),
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { socketPath, owned } = JSON.parse(line) as { socketPath: string; owned: boolean };
  return {
    child,
    socketPath,
    owned,
    async stop() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

async function ask<T>(socketPath: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ path: socketPath, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on("error", () => undefined);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

const serverOn = (socketPath: string): Promise<ProcessIdentity> =>
  ask(socketPath, async (redis) => identifyProcess(Number(/^process_id:(\d+)/m.exec(await redis.info("server"))?.[1])));

test("it starts a durable server that never evicts and is reachable by its owner alone, and ends it", async () => {
  const dataDir = join(tempFolder(), "data");
  const embedded = await startHere(dataDir);
  expect(embedded).toMatchObject({ owned: true, socketPath: join(dataDir, "redis/redis.sock") });
  expect(embedded.version).toMatch(/^\d+\.\d+/);
  const settings = await ask(embedded.socketPath, (redis) =>
    redis.config("GET", "appendonly", "appendfsync", "maxmemory-policy", "port", "unixsocketperm", "save"),
  );
  expect(settings).toEqual(expect.arrayContaining(["yes", "everysec", "noeviction", "0", "700", ""]));

  const server = await serverOn(embedded.socketPath);
  await embedded.stop();
  await embedded.stop();
  expect(isRunning(server)).toBe(false);
  expect(existsSync(embedded.socketPath)).toBe(false);
});

test("a server that is killed comes back by itself with every acknowledged write", async () => {
  const embedded = await startHere(tempFolder());
  const before = await serverOn(embedded.socketPath);
  await ask(embedded.socketPath, async (redis) => {
    for (let n = 1; n <= 200; n++) await redis.set(`k${n}`, n);
    process.kill(before.pid, "SIGKILL");
    expect(await redis.dbsize()).toBe(200);
  });
  expect(await serverOn(embedded.socketPath)).not.toEqual(before);
});

test("a second process joins the running server and leaves it running", async () => {
  const dataDir = tempFolder();
  const embedded = await startHere(dataDir);
  const server = await serverOn(embedded.socketPath);
  const second = await startElsewhere(dataDir);
  expect(second).toMatchObject({ owned: false, socketPath: embedded.socketPath });
  await second.stop();
  expect(await serverOn(embedded.socketPath)).toEqual(server);
});

test("the process that started the server leaves it to one that still uses it, and that one ends it", async () => {
  const dataDir = tempFolder();
  const first = await startElsewhere(dataDir);
  const embedded = await startHere(dataDir);
  expect([first.owned, embedded.owned]).toEqual([true, false]);
  const server = await serverOn(embedded.socketPath);
  await first.stop();
  expect(await serverOn(embedded.socketPath)).toEqual(server);
  await embedded.stop();
  expect(isRunning(server)).toBe(false);
});

test("processes that start at the same time end up with one server", async () => {
  const dataDir = tempFolder();
  const all = await Promise.all([1, 2, 3].map(() => startElsewhere(dataDir)));
  expect(all.filter((one) => one.owned)).toHaveLength(1);
  const server = await serverOn(all[0]?.socketPath ?? "");
  await Promise.all(all.map((one) => one.stop()));
  expect(isRunning(server)).toBe(false);
});

test("a server whose owner was killed is found by the next start, and ended by it", async () => {
  const dataDir = tempFolder();
  const first = await startElsewhere(dataDir);
  const server = await serverOn(first.socketPath);
  await ask(first.socketPath, (redis) => redis.set("kept", "yes"));
  first.child.kill("SIGKILL");
  await once(first.child, "exit");

  const embedded = await startHere(dataDir);
  expect(embedded.owned).toBe(false);
  expect(await serverOn(embedded.socketPath)).toEqual(server);
  expect(await ask(embedded.socketPath, (redis) => redis.get("kept"))).toBe("yes");
  await embedded.stop();
  expect(isRunning(server)).toBe(false);
});

test("what a killed owner and a killed server left behind does not hinder the next start", async () => {
  const dataDir = tempFolder();
  const first = await startElsewhere(dataDir);
  await ask(first.socketPath, (redis) => redis.set("kept", "yes"));
  const server = await serverOn(first.socketPath);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  process.kill(server.pid, "SIGKILL");
  expect(existsSync(first.socketPath)).toBe(true);

  const embedded = await startHere(dataDir);
  expect(embedded.owned).toBe(true);
  expect(await ask(embedded.socketPath, (redis) => redis.get("kept"))).toBe("yes");
});

test("a server that lost its socket is replaced, never doubled", async () => {
  const dataDir = tempFolder();
  const first = await startElsewhere(dataDir);
  await ask(first.socketPath, (redis) => redis.set("kept", "yes"));
  const server = await serverOn(first.socketPath);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  rmSync(first.socketPath);

  const embedded = await startHere(dataDir);
  expect(isRunning(server)).toBe(false);
  expect(await ask(embedded.socketPath, (redis) => redis.get("kept"))).toBe("yes");
});

test("a garbled record of the last server is ignored", async () => {
  const dataDir = tempFolder();
  mkdirSync(join(dataDir, "redis"));
  writeFileSync(join(dataDir, "redis/server.json"), '{"server": {"pid": "');
  expect((await startHere(dataDir)).owned).toBe(true);
});

test("a data folder too deep for a socket address works and is shared all the same", async () => {
  const dataDir = join(tempFolder(), "deep".repeat(30));
  const embedded = await startHere(dataDir);
  expect(embedded.socketPath.startsWith(join(tmpdir(), "parley-"))).toBe(true);
  onTestFinished(() => rmSync(dirname(embedded.socketPath), { recursive: true, force: true }));
  const second = await startElsewhere(dataDir);
  expect(second).toMatchObject({ owned: false, socketPath: embedded.socketPath });
  await second.stop();
});

test("a server that cannot start says why", async () => {
  const dataDir = tempFolder();
  mkdirSync(join(dataDir, "redis/appendonlydir"), { recursive: true });
  writeFileSync(join(dataDir, "redis/appendonlydir/appendonly.aof.manifest"), "nonsense\n");
  const attempt = startEmbeddedRedis({ dataDir, log: silentLog, env: env() });
  await expect(attempt).rejects.toThrow(/Redis did not start in .*manifest/s);
  expect(readFileSync(join(dataDir, "redis/redis.log"), "utf8")).toContain("manifest");
});
