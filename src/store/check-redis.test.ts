import { Redis } from "ioredis";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { privateRedis, testRedis } from "../../test/setup/redis.ts";
import { checkRedis, fixPartitions, UnsuitableRedis } from "./check-redis.ts";

async function connectTo(args: readonly string[]): Promise<Redis> {
  const { socketPath } = await privateRedis({ args });
  const redis = new Redis({ path: socketPath });
  onTestFinished(() => redis.disconnect());
  return redis;
}

describe("Redis is checked at the start", () => {
  test.each(["allkeys-lru", "volatile-ttl", "allkeys-random"])("and refused when it may evict: %s", async (policy) => {
    const redis = await connectTo(["--save", "", "--maxmemory-policy", policy]);
    const refusal = checkRedis(redis);
    await expect(refusal).rejects.toBeInstanceOf(UnsuitableRedis);
    await expect(refusal).rejects.toThrow(`maxmemory-policy "${policy}"`);
  });

  test("and taken with a loud warning when it writes nothing to disk", async () => {
    const redis = await connectTo(["--save", ""]);
    const { version, warnings } = await checkRedis(redis);
    expect(version).toMatch(/^\d+\.\d+/);
    expect(warnings).toEqual([expect.stringMatching(/LOST .* CONFIG SET appendonly yes/)]);
  });

  test("and taken without a word when it keeps an append-only file", async () => {
    const redis = await connectTo(["--save", "", "--appendonly", "yes"]);
    expect((await checkRedis(redis)).warnings).toEqual([]);
  });

  test.each([
    ["Redis 6.2", { redis_version: "6.2.14" }, "Redis 6.2.14 is too old"],
    ["something that tells no version", {}, "Redis 0 is too old"],
  ])("and refused when it is too old: %s", async (_what, info, message) => {
    await expect(checkRedis(answering(info))).rejects.toThrow(message);
  });

  test("and Valkey counts by its own version", async () => {
    const facts = await checkRedis(answering({ redis_version: "7.2.4", valkey_version: "8.1.0", aof_enabled: "1" }));
    expect(facts).toEqual({ version: "8.1.0", warnings: [] });
  });
});

describe("the number of partitions", async () => {
  const redis = new Redis(await testRedis());
  afterAll(() => redis.disconnect());

  test("is fixed by the first start and kept by all later ones", async () => {
    await redis.flushdb();
    expect(await fixPartitions(redis, 4)).toBe(4);
    expect(await fixPartitions(redis, 16)).toBe(4);
  });

  test.each(["0", "-1", "1.5", "1025", "many", ""])("is refused when somebody stored %j", async (stored) => {
    await redis.set("parley:partitions", stored);
    await expect(fixPartitions(redis, 4)).rejects.toThrow(`holds "${stored}", not a number`);
    await redis.flushdb();
  });
});

/** A server whose INFO reads like this: versions that cannot be started here. */
function answering(info: Readonly<Record<string, string>>): Redis {
  const text = Object.entries(info).map(([key, value]) => `${key}:${value}\r\n`);
  const redis = new Redis({ lazyConnect: true });
  redis.info = () => Promise.resolve(text.join(""));
  return redis;
}
