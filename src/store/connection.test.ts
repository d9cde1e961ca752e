import { createServer, type Socket } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster, Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { privateRedis } from "../../test/setup/redis.ts";
import { silentLog } from "../kernel/ports.ts";
import { connectRedis, type RedisTarget } from "./connection.ts";

function connect(target: RedisTarget) {
  const redis = connectRedis(target, "test", silentLog);
  onTestFinished(() => redis.disconnect());
  return redis;
}

describe("a connection", () => {
  test("is named after its purpose in the server's list of clients", async () => {
    const { socketPath } = await privateRedis();
    const redis = connect({ kind: "socket", path: socketPath }) as Redis;
    expect(String(await redis.client("LIST"))).toContain("name=parley-test");
  });

  test("waits through an outage with what it was asked", async () => {
    const server = await privateRedis({ args: ["--save", "", "--appendonly", "yes"] });
    const redis = connect({ kind: "socket", path: server.socketPath });
    await redis.set("key", "value");
    await server.kill();
    const answer = redis.get("key");
    await server.restart();
    expect(await answer).toBe("value");
  });

  test("asks a server that still loads again soon, whatever that estimates", async () => {
    const began = performance.now();
    const path = await loadingServer({ looks: 2, etaSeconds: 9 });
    const redis = connect({ kind: "socket", path });
    await new Promise((resolve) => redis.once("ready", resolve));
    expect(performance.now() - began).toBeLessThan(7_000);
  });

  test.each<{ target: RedisTarget; is: typeof Redis | typeof Cluster }>([
    { target: { kind: "url", url: "redis://127.0.0.1:1/3" }, is: Redis },
    {
      target: { kind: "sentinel", sentinels: [{ host: "127.0.0.1", port: 1 }], name: "main", password: "p" },
      is: Redis,
    },
    { target: { kind: "cluster", nodes: [{ host: "127.0.0.1", port: 1 }], password: "p" }, is: Cluster },
  ])("to a $target.kind is made without throwing when nobody answers", ({ target, is }) => {
    expect(connect(target)).toBeInstanceOf(is);
  });
});

/** Something that greets like a Redis and says it is loading for the first few looks. */
async function loadingServer({ looks, etaSeconds }: { looks: number; etaSeconds: number }): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "parley-loading-"));
  const path = join(folder, "redis.sock");
  let asked = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      for (const [name] of bytes
        .toString()
        .toLowerCase()
        .matchAll(/\r\n(hello|client|info)\r\n/g)) {
        const loading = name.includes("info") && asked++ < looks;
        const text = `loading:${loading ? 1 : 0}\r\nloading_eta_seconds:${etaSeconds}\r\n`;
        if (name.includes("hello")) socket.write("%1\r\n$5\r\nproto\r\n:3\r\n");
        else if (name.includes("info")) socket.write(`$${text.length}\r\n${text}\r\n`);
        else socket.write("+OK\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  return path;
}
