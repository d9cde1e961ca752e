import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { silentLog } from "../../src/kernel/ports.ts";
import { findRedisServer } from "../../src/store/find-redis.ts";
import { startRedisServer } from "../../src/store/redis-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The run's shared Redis. */
    redisSocket: string;
    /** The server program it was started with. */
    redisCommand: string;
  }
}

/** How many databases the shared Redis has; database 0 only counts the ones handed out. */
export const DATABASES = 1024;

/** Starts one real Redis for the whole run, and ends it afterwards. A fetched server is kept in the checkout's `.data`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = join(import.meta.dirname, "../../.data");
  const { command } = await findRedisServer({ dataDir, env: process.env, log: silentLog });
  const dir = mkdtempSync(join(tmpdir(), "parley-test-"));
  const server = await startRedisServer({ command, dir, args: ["--databases", String(DATABASES), "--save", ""] });
  project.provide("redisSocket", server.socketPath);
  project.provide("redisCommand", command);
  return async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
