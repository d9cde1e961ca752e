import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { Log } from "../kernel/ports.ts";

/** One Redis, a Sentinel-watched pair, or a Cluster: everything in `store` works on each. */
export type RedisConnection = Redis | Cluster;

/** Where Redis is. Exactly one of the forms. */
export type RedisTarget =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "socket"; readonly path: string; readonly db?: number }
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly HostPort[];
      readonly name: string;
      readonly password?: string;
    }
  | { readonly kind: "cluster"; readonly nodes: readonly HostPort[]; readonly password?: string };

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Connects. Commands wait through an outage and are sent again when their reply was lost, so every command used in
 * `store` tolerates repetition. `purpose` names the connection in Redis' client list.
 */
export function connectRedis(target: RedisTarget, purpose: string, log: Log): RedisConnection {
  const redis = open(target, `parley-${purpose}`);
  if (redis instanceof Redis) coalesceWrites(redis);
  redis.on("error", (error: Error) => log.warn({ purpose, error: error.message }, "Redis connection trouble"));
  redis.on("ready", () => log.debug({ purpose }, "Redis connection ready"));
  return redis;
}

function open(target: RedisTarget, connectionName: string): RedisConnection {
  const common = {
    connectionName,
    maxRetriesPerRequest: null,
    // How often a Redis that still loads its data is asked again. Left to itself the client believes Redis' estimate,
    // which may be ten seconds for a file that is loaded in one: longer than a worker may be silent.
    maxLoadingRetryTime: 250,
    retryStrategy,
    // A master that became a replica answers READONLY: connect anew and send the command again.
    reconnectOnError: (error: Error) => (error.message.startsWith("READONLY") ? 2 : false),
  } satisfies RedisOptions;
  switch (target.kind) {
    case "url":
      return new Redis(target.url, common);
    case "socket":
      return new Redis({ ...common, path: target.path, db: target.db ?? 0 });
    case "sentinel":
      return new Redis({
        ...common,
        sentinels: target.sentinels.map(({ host, port }) => ({ host, port })),
        name: target.name,
        ...(target.password === undefined ? {} : { password: target.password }),
      });
    case "cluster": {
      const { retryStrategy: clusterRetryStrategy, ...redisOptions } = common;
      return new Cluster(
        target.nodes.map(({ host, port }) => ({ host, port })),
        {
          clusterRetryStrategy,
          redisOptions: { ...redisOptions, ...(target.password === undefined ? {} : { password: target.password }) },
        },
      );
    }
  }
}

function retryStrategy(attempt: number): number {
  return Math.min(1000, 50 * attempt);
}

/** Redis begins with what it has while the rest is still being written; a few commands at least, so that it pays. */
const FLUSH_BYTES = 2_048;

/**
 * Writes the commands of one turn of the event loop to the socket together. The client writes each by itself, and the
 * system call for that is a third of a busy worker's time. What is pending when a connection breaks is in the client's
 * own queue and sent again.
 */
function coalesceWrites(redis: Redis): void {
  redis.on("connect", () => {
    const { stream } = redis;
    const write = stream.write.bind(stream);
    const end = stream.end.bind(stream) as (...args: unknown[]) => typeof stream;
    let pending = "";
    const flush = () => {
      if (pending === "") return;
      const all = pending;
      pending = "";
      write(all);
    };
    stream.write = (chunk: string | Buffer | Uint8Array) => {
      if (typeof chunk !== "string") {
        flush();
        return write(Buffer.from(chunk));
      }
      if (pending === "") process.nextTick(flush);
      pending += chunk;
      if (pending.length > FLUSH_BYTES) flush();
      return true;
    };
    stream.end = (...args: unknown[]) => {
      flush();
      return end(...args);
    };
  });
}
