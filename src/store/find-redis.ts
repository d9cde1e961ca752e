import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { OutsideError } from "../kernel/errors.ts";
import type { Log } from "../kernel/ports.ts";
import { fetchRedis } from "./fetch-redis.ts";

/** A server program that is new enough to use. Its folder may be put on PATH: it needs no other settings. */
export interface FoundRedis {
  readonly command: string;
  readonly version: string;
}

/** Where to look, and what to tell meanwhile. */
export interface FindRedisOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

/**
 * Finds a Redis or Valkey server on PATH or in `<dataDir>/redis`, or fetches the distribution's into that folder where
 * apt is there (no root needed, nothing is installed). Throws `OutsideError` with ways to get one when all that fails.
 */
export async function findRedisServer({ dataDir, env, log }: FindRedisOptions): Promise<FoundRedis> {
  const home = resolve(dataDir, "redis");
  const tooOld: string[] = [];
  for (const command of candidates(home, env)) {
    const found = await askVersion(command);
    if (found.usable) return { command, version: found.version };
    if (found.version !== undefined) tooOld.push(`${command} is ${found.version}`);
  }

  const tools = { aptGet: findProgram("apt-get", env), dpkgDeb: findProgram("dpkg-deb", env) };
  let cause: unknown;
  if (tools.aptGet !== undefined && tools.dpkgDeb !== undefined) {
    try {
      const isUsable = async (path: string) => (await askVersion(path)).usable;
      const command = await fetchRedis({ home, env, log, isUsable });
      const found = await askVersion(command);
      if (found.usable) return { command, version: found.version };
      tooOld.push(found.version === undefined ? `${command} does not start` : `${command} is ${found.version}`);
    } catch (error) {
      cause = error;
    }
  }
  throw new OutsideError(explainMissing(tooOld, cause), { code: "not-found", cause });
}

type Version = { usable: true; version: string } | { usable: false; version: string | undefined };

/** Reads what `--version` prints. Redis counts from 7.0, Valkey from 8.0; anything else is not usable. */
export function parseServerVersion(text: string): Version {
  const match = /^(Redis|Valkey) server v=((\d+)\.\d+\S*)/m.exec(text);
  if (match === null) return { usable: false, version: undefined };
  const [, name, number, major] = match;
  return { usable: Number(major) >= (name === "Redis" ? 7 : 8), version: `${name} ${number}` };
}

function candidates(home: string, env: NodeJS.ProcessEnv): string[] {
  const folders = [...pathFolders(env), home];
  return folders
    .flatMap((folder) => ["redis-server", "valkey-server"].map((name) => join(folder, name)))
    .filter(isExecutable);
}

function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return pathFolders(env)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function pathFolders(env: NodeJS.ProcessEnv): string[] {
  return (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function askVersion(command: string): Promise<Version> {
  try {
    const { stdout } = await promisify(execFile)(command, ["--version"], { timeout: 10_000 });
    return parseServerVersion(stdout);
  } catch {
    // Not a program, or one whose libraries are missing: the next candidate may do.
    return { usable: false, version: undefined };
  }
}

function explainMissing(tooOld: readonly string[], cause: unknown): string {
  const failure = cause instanceof Error ? ` Fetching it with apt failed: ${cause.message}.` : "";
  const old = tooOld.length > 0 ? ` Not usable: ${tooOld.join(", ")}.` : "";
  return [
    `No Redis 7.0 (or Valkey 8.0) or newer was found.${old}${failure} Any one of these helps:`,
    "  macOS          brew install redis",
    "  Debian, Ubuntu sudo apt-get install redis-server",
    "  Fedora         sudo dnf install valkey",
    "  Alpine         apk add redis",
    "  Arch           sudo pacman -S valkey",
    "  Docker         docker run -d -p 127.0.0.1:6379:6379 redis:7 redis-server --appendonly yes",
    "                 and set REDIS_URL=redis://127.0.0.1:6379",
    "  elsewhere      set REDIS_URL to a Redis you run",
  ].join("\n");
}
