import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { describeError, OutsideError } from "../kernel/errors.ts";
import type { Log } from "../kernel/ports.ts";
import { findRedisServer } from "./find-redis.ts";
import { withFolderLock } from "./folder-lock.ts";
import { identifyProcess, isRunning } from "./process-identity.ts";
import { probeRedis } from "./redis-probe.ts";
import { startRedisServer } from "./redis-server.ts";
import { readServerRecord, writeServerRecord } from "./server-record.ts";
import { chooseSocketPath, makePrivateFolder } from "./socket-path.ts";

/** A real Redis beside this process, its data in `<dataDir>/redis`. Connect with `{ path: socketPath }`. */
export interface EmbeddedRedis {
  readonly socketPath: string;
  /** Whether this process started the server that runs now; false when another one did. */
  readonly owned: boolean;
  /** The server's own version number. */
  readonly version: string;
  /**
   * Call it last, after every other connection is closed. Ends the server unless another process still uses it: the
   * one that leaves last ends it, whoever started it, so a server never outlives its users and is never taken from one.
   */
  stop(): Promise<void>;
}

/** Where the data lives, where to report, and the environment whose PATH is searched. */
export interface EmbeddedRedisOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Joins the server of this data folder, or starts it when none runs; processes that start at once end up with one. A
 * server left behind by a process that was killed is found again. Until `stop`, a server that dies is started again.
 */
export async function startEmbeddedRedis({
  dataDir,
  log,
  env = process.env,
}: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const home = resolve(dataDir, "redis");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const socketPath = chooseSocketPath(home, { platform: process.platform, tmp: tmpdir(), uid: userInfo().uid });
  const ourName = `${PRESENCE}${randomUUID()}`;
  // Joining, replacing and leaving exclude each other, or one process could end the server another has just found.
  const alone = <T>(work: () => Promise<T>) =>
    withFolderLock(home, { name: "server-lock", waitMs: LOCK_WAIT_MS }, work);

  let owned = false;
  let stopping: Promise<void> | undefined;
  const makeSureItRuns = async () => {
    if ((await findRunning(home, socketPath)) === "running") return;
    const { command, version } = await findRedisServer({ dataDir, env, log });
    rmSync(socketPath, { force: true });
    await startRedisServer({
      command,
      dir: home,
      args: DURABLE,
      socketPath,
      detached: true,
      announce: (pid) => writeServerRecord(home, { server: identifyProcess(pid), socketPath }),
    });
    owned = true;
    log.info({ server: version, socket: socketPath }, "embedded Redis started");
  };

  const { presence, version } = await alone(async () => {
    await makeSureItRuns();
    return await joinServer(socketPath, ourName);
  });

  let recovering: Promise<void> | undefined;
  presence.on("close", () => {
    if (stopping !== undefined || recovering !== undefined) return;
    log.warn({ socket: socketPath }, "the connection to the embedded Redis was lost; making sure that it runs");
    recovering = recover(() => (stopping === undefined ? alone(makeSureItRuns) : Promise.resolve()), log).finally(
      () => (recovering = undefined),
    );
  });

  const leave = async () => {
    await recovering;
    await alone(async () => {
      const others = await countOthers(presence, ourName);
      presence.disconnect();
      if (others > 0) log.info({ others }, "embedded Redis left running for the other processes that use it");
      else await endServer(home);
    });
  };
  return {
    socketPath,
    get owned() {
      return owned;
    },
    version,
    stop: () => (stopping ??= leave()),
  };
}

const PRESENCE = "parley-presence-";
const LOCK_WAIT_MS = 300_000;
const READY_MS = 60_000;
const DEAF_MS = 5_000;
const STOP_MS = 15_000;
const RECOVER_PAUSES_MS = [0, 250, 1_000, 5_000];

/** One second can be lost in a power cut, nothing in a crash; never evicts, because every key is somebody's message. */
const DURABLE = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"];

async function findRunning(home: string, socketPath: string): Promise<"running" | "none"> {
  if (dirname(socketPath) !== home) makePrivateFolder(socketPath);
  const record = readServerRecord(home);
  const isAlive = () => record !== undefined && isRunning(record.server);
  if (isAlive() && record?.socketPath !== socketPath)
    throw new OutsideError(
      `Redis for ${home} already runs as process ${record?.server.pid} on ${record?.socketPath}, not on ${socketPath}: ` +
        "give every process the same TMPDIR, or use a data folder with a shorter path",
      { code: "unavailable" },
    );

  // A second server on the same files would destroy them: none is started while the one on record lives, nor while
  // anything accepts connections here.
  let began = performance.now();
  for (;;) {
    const answer = await probeRedis(socketPath);
    if (answer === "ready") return "running";
    // Reading much data takes its time.
    if (answer === "loading") began = performance.now();
    const waitedMs = performance.now() - began;
    if (answer === "nothing") {
      if (!isAlive()) return "none";
      // It lost its socket, for instance to a cleaner of temporary folders, and can never be reached again.
      if (waitedMs > DEAF_MS) await endServer(home);
    }
    if (waitedMs > READY_MS)
      throw new OutsideError(`Redis on ${socketPath} is ${answer} for more than ${READY_MS / 1000} s`, {
        code: "timeout",
      });
    await delay(20);
  }
}

async function joinServer(socketPath: string, name: string): Promise<{ presence: Redis; version: string }> {
  const presence = new Redis({
    path: socketPath,
    connectionName: name,
    maxRetriesPerRequest: null,
    commandTimeout: 5_000,
    retryStrategy: () => 200,
  });
  // Losing it is handled where it closes; the failures of single attempts say nothing more.
  presence.on("error", () => undefined);
  try {
    const info = await presence.info("server");
    // Valkey gives its own version besides that of the Redis it is compatible with.
    const version = /^valkey_version:(\S+)/m.exec(info) ?? /^redis_version:(\S+)/m.exec(info);
    return { presence, version: version?.[1] ?? "unknown" };
  } catch (error) {
    presence.disconnect();
    throw error;
  }
}

async function recover(makeSureItRuns: () => Promise<void>, log: Log): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    await delay(RECOVER_PAUSES_MS[Math.min(attempt, RECOVER_PAUSES_MS.length - 1)] ?? 0);
    try {
      await makeSureItRuns();
      return;
    } catch (error) {
      log.error({ error: describeError(error), attempt }, "embedded Redis could not be started again");
    }
  }
}

async function countOthers(presence: Redis, ourName: string): Promise<number> {
  try {
    const list = String(await presence.client("LIST"));
    const names = [...list.matchAll(/ name=(\S+)/g)].map(([, name]) => name);
    return names.filter((name) => name?.startsWith(PRESENCE) && name !== ourName).length;
  } catch {
    // It does not answer, so nobody is served by it.
    return 0;
  }
}

async function endServer(home: string): Promise<void> {
  const record = readServerRecord(home);
  if (record === undefined || !isRunning(record.server)) return;
  const { pid } = record.server;
  signal(pid, "SIGTERM");
  const lastResort = performance.now() + STOP_MS;
  while (isRunning(record.server)) {
    if (performance.now() > lastResort) signal(pid, "SIGKILL");
    await delay(25);
  }
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It may have ended by itself since the last look.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
