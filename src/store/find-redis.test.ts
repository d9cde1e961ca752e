import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { silentLog } from "../kernel/ports.ts";
import { parseDependencies } from "./fetch-redis.ts";
import { findRedisServer, parseServerVersion } from "./find-redis.ts";

const log = silentLog;

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-find-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function program(folder: string, name: string, body: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
  return join(folder, name);
}

const says = (text: string) => `echo "${text}"`;

test.each([
  ["Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=6c2b", true, "Redis 7.0.15"],
  ["Redis server v=8.2.1 sha=00000000:1 malloc=libc bits=64 build=0", true, "Redis 8.2.1"],
  ["Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=0", false, "Redis 6.0.16"],
  ["Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0", true, "Valkey 8.0.1"],
  ["Valkey server v=7.2.5 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0", false, "Valkey 7.2.5"],
  ["command not found", false, undefined],
  ["", false, undefined],
])("the version line %j: usable %s, %s", (line, usable, version) => {
  expect(parseServerVersion(line)).toEqual({ usable, version });
});

test("the needs of a package are read without alternatives' providers and virtual names", () => {
  const text = [
    "redis-tools",
    " PreDepends: init-system-helpers",
    "  Depends: adduser",
    " |Depends: liba1",
    "  Depends: <libvirtual>",
    "    libprovider",
    "  Depends: libjemalloc2",
    "  Suggests: ruby-redis",
  ].join("\n");
  expect(parseDependencies(text)).toEqual(["adduser", "liba1", "libjemalloc2"]);
});

test("the first usable server on PATH is taken, before one in the data folder", async () => {
  const folder = tempFolder();
  program(join(folder, "old"), "redis-server", says("Redis server v=6.2.0 x"));
  program(join(folder, "broken"), "redis-server", "exit 127");
  const good = program(join(folder, "good"), "valkey-server", says("Valkey server v=8.1.0 x"));
  program(join(folder, "data/redis"), "redis-server", says("Redis server v=7.2.0 x"));
  const PATH = ["old", "broken", "good"].map((name) => join(folder, name)).join(":");
  const found = await findRedisServer({ dataDir: join(folder, "data"), env: { PATH }, log });
  expect(found).toEqual({ command: good, version: "Valkey 8.1.0" });
});

test("a server in the data folder is taken when PATH has none", async () => {
  const folder = tempFolder();
  const own = program(join(folder, "redis"), "redis-server", says("Redis server v=7.2.0 x"));
  expect(await findRedisServer({ dataDir: folder, env: { PATH: "" }, log })).toEqual({
    command: own,
    version: "Redis 7.2.0",
  });
});

test("without any server and without apt the message tells how to get one and what was not usable", async () => {
  const folder = tempFolder();
  const old = program(folder, "redis-server", says("Redis server v=6.0.16 x"));
  const attempt = findRedisServer({ dataDir: join(folder, "data"), env: { PATH: folder }, log });
  await expect(attempt).rejects.toThrow(`Not usable: ${old} is Redis 6.0.16.`);
  await expect(attempt).rejects.toThrow("brew install redis");
  await expect(attempt).rejects.toThrow("REDIS_URL");
});

test("with apt the packages that miss are fetched into the data folder and run without other settings", async () => {
  const folder = tempFolder();
  const bin = join(folder, "bin");
  const calls = join(folder, "calls");
  // A distribution in miniature: its "package" unpacks to a program that prints its version and library path.
  program(bin, "apt-get", `echo "apt-get $*" >> ${calls}; case "$*" in *download*) touch redis-tools.deb;; esac`);
  program(bin, "apt-cache", `printf 'redis-tools\\n  Depends: libc6\\n  Depends: libhere\\n  Depends: libmissing\\n'`);
  program(bin, "dpkg-query", `case "$*" in *libhere) printf installed;; *) exit 1;; esac`);
  const server = 'echo "Redis server v=7.0.15 libraries=$LD_LIBRARY_PATH"';
  program(
    bin,
    "dpkg-deb",
    `mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu" && printf '#!/bin/sh\\n%s\\n' '${server}' > "$3/usr/bin/redis-check-rdb" && chmod 755 "$3/usr/bin/redis-check-rdb"`,
  );
  // The real tools these stand-ins use lie in /bin; a server there must not be found first.
  const shell = join(folder, "shell");
  for (const name of ["mkdir", "touch", "chmod", "printf", "dirname", "readlink"])
    program(shell, name, `exec /usr/bin/${name} "$@"`);
  const env = { PATH: `${bin}:${shell}` };

  const dataDir = join(folder, "data");
  const both = await Promise.all([findRedisServer({ dataDir, env, log }), findRedisServer({ dataDir, env, log })]);
  expect(both).toEqual([
    { command: join(dataDir, "redis/redis-server"), version: "Redis 7.0.15" },
    { command: join(dataDir, "redis/redis-server"), version: "Redis 7.0.15" },
  ]);
  const printed = execFileSync(join(dataDir, "redis/redis-server"), { encoding: "utf8" });
  expect(printed).toContain(`libraries=${dataDir}/redis/fetched/usr/lib/x86_64-linux-gnu\n`);
  const downloads = readFileSync(calls, "utf8")
    .split("\n")
    .filter((line) => line.includes(" download "));
  expect(downloads).toEqual([expect.stringMatching(/download redis-tools libmissing$/)]);
});

test("when apt fails the reason is in the message", async () => {
  const folder = tempFolder();
  const bin = join(folder, "bin");
  program(bin, "apt-get", `echo "E: no network" >&2; exit 100`);
  program(bin, "dpkg-deb", "exit 0");
  const attempt = findRedisServer({ dataDir: join(folder, "data"), env: { PATH: bin }, log });
  await expect(attempt).rejects.toThrow("Fetching it with apt failed: apt-get update failed (E: no network).");
});

test("the server of this test run is a usable one", async () => {
  const folder = tempFolder();
  const PATH = join(inject("redisCommand"), "..");
  expect(await findRedisServer({ dataDir: folder, env: { PATH }, log })).toMatchObject({
    command: inject("redisCommand"),
  });
});
