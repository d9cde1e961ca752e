import type { Log } from "../kernel/ports.ts";
import type { Secret } from "../kernel/secret.ts";
import type { HostPort, RedisTarget } from "./connection.ts";
import { startEmbeddedRedis } from "./embedded-redis.ts";

/** The settings that say where Redis is; see `redis` in the configuration reference. */
export interface RedisSettings {
  readonly url?: Secret;
  readonly sentinels?: readonly HostPort[];
  readonly sentinel_name?: string;
  readonly cluster_nodes?: readonly HostPort[];
  readonly password?: Secret;
}

/** A Redis to connect to. `close` ends it when it is our own and nobody else uses it; call it last. */
export interface OpenRedis {
  readonly target: RedisTarget;
  /** For the operator: where it is, without secrets. */
  readonly describe: string;
  close(): Promise<void>;
}

/** The configured Redis, or a real one of our own in the data folder when none is configured. */
export async function openRedis(settings: RedisSettings, dataDir: string, log: Log): Promise<OpenRedis> {
  const password = settings.password?.reveal();
  const secret = password === undefined ? {} : { password };
  if (settings.url !== undefined) {
    const url = settings.url.reveal();
    return url.startsWith("/")
      ? remote({ kind: "socket", path: url }, "Redis at a Unix socket")
      : remote({ kind: "url", url }, `Redis at ${new URL(url).host}`);
  }
  if (settings.sentinels !== undefined && settings.sentinel_name !== undefined) {
    const { sentinels, sentinel_name: name } = settings;
    return remote(
      { kind: "sentinel", sentinels, name, ...secret },
      `Redis "${name}" behind ${sentinels.length} Sentinels`,
    );
  }
  if (settings.cluster_nodes !== undefined)
    return remote({ kind: "cluster", nodes: settings.cluster_nodes, ...secret }, "a Redis Cluster");
  const embedded = await startEmbeddedRedis({ dataDir, log });
  return {
    target: { kind: "socket", path: embedded.socketPath },
    describe: `${embedded.owned ? "its own" : "another process'"} Redis ${embedded.version}, data in ${dataDir}`,
    close: () => embedded.stop(),
  };
}

function remote(target: RedisTarget, describe: string): OpenRedis {
  return { target, describe, close: () => Promise.resolve() };
}
