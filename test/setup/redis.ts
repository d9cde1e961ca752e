import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, inject, onTestFinished } from "vitest";
import { type RedisServer, startRedisServer } from "../../src/store/redis-server.ts";
import { DATABASES } from "./global-redis.ts";

/**
 * Connection options of an empty database that belongs to the calling test file alone: `new Redis(await testRedis())`.
 * Call it at the top of the file or in `beforeAll`; the database is emptied when the file ends. Published messages,
 * scripts, settings and FLUSHALL are shared with the other files: a test of those takes {@link privateRedis}.
 */
export async function testRedis(): Promise<{ readonly path: string; readonly db: number }> {
  const path = inject("redisSocket");
  const counter = new Redis({ path });
  const db = ((await counter.incr("databases")) % (DATABASES - 1)) + 1;
  await counter.select(db);
  await counter.flushdb();
  counter.disconnect();

  afterAll(async () => {
    const cleaner = new Redis({ path, db });
    await cleaner.flushdb();
    cleaner.disconnect();
  });
  return { path, db };
}

/**
 * A Redis server for the calling test alone, to be stopped, killed and restarted at will; it ends and its data goes
 * with the test, or with the file when called at its top with `until: afterAll`. Unless `args` ask for it, nothing is
 * written to disk.
 */
export async function privateRedis({
  args = ["--save", ""],
  until = onTestFinished,
}: { args?: readonly string[]; until?: (end: () => Promise<void>) => void } = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), "parley-test-"));
  const server = await startRedisServer({ command: inject("redisCommand"), dir, args });
  until(async () => {
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  return server;
}
