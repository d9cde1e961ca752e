import type { RedisConnection } from "./connection.ts";

/** The Redis at hand cannot keep our promise; `message` says why and what to change. */
export class UnsuitableRedis extends Error {
  override readonly name = "UnsuitableRedis";
}

/** What was learnt about the Redis at start. */
export interface RedisFacts {
  readonly version: string;
  /** Sentences an operator must read, for instance that nothing is written to disk. */
  readonly warnings: readonly string[];
}

/**
 * Refuses a Redis that would lose what it accepted: older than 7, or one that evicts keys when memory is full.
 * Missing persistence is a warning, because a replica or a test may want it. Throws {@link UnsuitableRedis}.
 */
export async function checkRedis(redis: RedisConnection): Promise<RedisFacts> {
  const info = parseInfo(await redis.info());
  const version = info.get("valkey_version") ?? info.get("redis_version") ?? "0";
  if (Number.parseInt(version, 10) < 7)
    throw new UnsuitableRedis(`Redis ${version} is too old: Parley needs Redis 7.0 or Valkey 8 or newer.`);
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction")
    throw new UnsuitableRedis(
      `Redis has maxmemory-policy "${policy}" and would silently drop messages when memory is full. ` +
        "Set it to noeviction: CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.",
    );
  return { version, warnings: persistenceWarnings(info) };
}

function persistenceWarnings(info: ReadonlyMap<string, string>): string[] {
  if (info.get("aof_enabled") === "1") return [];
  return [
    "Redis keeps no append-only file: messages accepted since its last snapshot are LOST when it stops. " +
      "Turn it on: CONFIG SET appendonly yes, and the same in redis.conf.",
  ];
}

function parseInfo(text: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) facts.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return facts;
}

/**
 * The number of partitions, fixed for life at the first start: a lane's partition is a hash of its name modulo this
 * number. Returns what is stored; `wanted` counts only when nothing is.
 */
export async function fixPartitions(redis: RedisConnection, wanted: number): Promise<number> {
  await redis.set("parley:partitions", String(wanted), "NX");
  const text = await redis.get("parley:partitions");
  const stored = Number(text);
  if (!Number.isInteger(stored) || stored < 1 || stored > 1024)
    throw new UnsuitableRedis(`The key parley:partitions holds "${text}", not a number from 1 to 1024.`);
  return stored;
}
