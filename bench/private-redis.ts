import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { silentLog } from "../src/kernel/ports.ts";
import { findRedisServer } from "../src/store/find-redis.ts";
import { startRedisServer } from "../src/store/redis-server.ts";
import { parseCounters, type Counters } from "./redis-info.ts";

export type Fsync = "everysec" | "always";

/** A Redis of the benchmark's own, with everything in it at the benchmark's disposal. */
export interface PrivateRedis {
  readonly socketPath: string;
  readonly version: string;
  /** A connection for administration, not for the load. */
  readonly admin: Redis;
  counters(): Promise<Counters>;
  setFsync(fsync: Fsync): Promise<void>;
  /** Empties it. What was loaded as a script stays. */
  empty(): Promise<void>;
  /** Ends the server and deletes its data. */
  stop(): Promise<void>;
}

/**
 * Starts a server on a unix socket. Its data lies in the checkout's data folder, because a temporary folder is often
 * in memory, where an fsync costs nothing.
 */
export async function startPrivateRedis(appendOnly: boolean): Promise<PrivateRedis> {
  const dataDir = resolve(import.meta.dirname, "../.data");
  const found = await findRedisServer({ dataDir, env: process.env, log: silentLog });
  mkdirSync(join(dataDir, "bench"), { recursive: true });
  const dir = mkdtempSync(join(dataDir, "bench", "redis-"));
  // The path of a unix socket may have about a hundred characters; a checkout's may be longer.
  const socketDir = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const remove = () => {
    rmSync(dir, { recursive: true, force: true });
    rmSync(socketDir, { recursive: true, force: true });
  };
  const options = {
    command: found.command,
    dir,
    socketPath: join(socketDir, "redis.sock"),
    args: settings(appendOnly),
  };
  const server = await startRedisServer(options).catch((error: unknown) => {
    remove();
    throw error;
  });
  const admin = new Redis({ path: server.socketPath, maxRetriesPerRequest: null });
  return {
    socketPath: server.socketPath,
    version: found.version,
    admin,
    counters: async () => parseCounters(await admin.info("everything")),
    setFsync: async (fsync) => {
      await admin.config("SET", "appendfsync", fsync);
    },
    empty: async () => {
      await admin.flushall();
    },
    stop: async () => {
      admin.disconnect();
      await server.stop();
      remove();
    },
  };
}

function settings(appendOnly: boolean): string[] {
  const append = `--appendonly ${appendOnly ? "yes" : "no"} --appendfsync everysec`;
  // A rewrite in the middle of a round would be counted as the round's.
  const quiet = "--auto-aof-rewrite-percentage 0";
  return [...`${append} ${quiet} --maxmemory-policy noeviction --save`.split(" "), ""];
}
