import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { OutsideError } from "../kernel/errors.ts";
import type { Log } from "../kernel/ports.ts";
import { withFolderLock } from "./folder-lock.ts";

/**
 * Fetches the distribution's Redis with apt into `home`, without root and without installing anything, and answers
 * with the path of a `redis-server` that runs by itself. Safe to call from several processes at once.
 */
export async function fetchRedis(options: FetchRedisOptions): Promise<string> {
  const { home, isUsable } = options;
  const command = join(home, "redis-server");
  return await withFolderLock(home, { name: "fetch-lock", waitMs: 300_000 }, async () => {
    if (!(await isUsable(command))) await fetchInto(command, options);
    return command;
  });
}

interface FetchRedisOptions {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Whether what lies in `home` can be taken as it is; asked again once another process has finished fetching. */
  readonly isUsable: (command: string) => Promise<boolean>;
}

/** The packages that `apt-cache depends redis-tools` names as its direct needs, without alternatives' providers. */
export function parseDependencies(text: string): string[] {
  return text.split("\n").flatMap((line) => /^ [ |](?:Pre)?Depends: ([a-z0-9][a-z0-9+.:-]*)$/.exec(line)?.[1] ?? []);
}

async function fetchInto(command: string, { home, env, log }: FetchRedisOptions): Promise<void> {
  log.info({ folder: home }, "no Redis found; fetching the distribution's (about 1.4 MB, once, nothing is installed)");
  const work = join(home, "fetching");
  rmSync(work, { recursive: true, force: true });
  for (const folder of ["lists/partial", "cache/archives/partial", "debs", "root"])
    mkdirSync(join(work, folder), { recursive: true });
  const run = (program: string, ...args: string[]) => runProgram(program, args, { cwd: join(work, "debs"), env });

  try {
    // A private state makes this work with empty package lists and without the rights to fill the system's.
    const apt = [
      ["Dir::State::lists", join(work, "lists")],
      ["Dir::Cache", join(work, "cache")],
      ["APT::Sandbox::User", "root"],
      ["Acquire::Languages", "none"],
      ["Acquire::Retries", "2"],
    ].flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    await run("apt-get", ...apt, "-qq", "update");
    await run("apt-get", ...apt, "-qq", "download", "redis-tools", ...(await missingLibraries(run, apt)));

    for (const deb of readdirSync(join(work, "debs")).filter((file) => file.endsWith(".deb")))
      await run("dpkg-deb", "-x", join(work, "debs", deb), join(work, "root"));
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    throw error;
  }
  settle(command, home, work);
}

async function missingLibraries(
  run: (program: string, ...args: string[]) => Promise<string>,
  apt: readonly string[],
): Promise<string[]> {
  const needed = parseDependencies(await run("apt-cache", ...apt, "depends", "redis-tools"));
  const libraries = needed.filter((name) => name.startsWith("lib") && !name.startsWith("libc6"));
  const states = await Promise.all(
    libraries.map(async (name) => {
      const status = await run("dpkg-query", "-W", "-f=${db:Status-Status}", name).catch(() => "unknown");
      return { name, missing: status !== "installed" };
    }),
  );
  return states.flatMap(({ name, missing }) => (missing ? [name] : []));
}

/** Moves the finished tree into place and puts a command in front of it that sets the library path. */
function settle(command: string, home: string, work: string): void {
  const fetched = join(home, "fetched");
  rmSync(fetched, { recursive: true, force: true });
  renameSync(join(work, "root"), fetched);
  rmSync(work, { recursive: true, force: true });
  // The package without the server's service holds the same program under a checker's name; its own name decides.
  symlinkSync("usr/bin/redis-check-rdb", join(fetched, "redis-server"));

  const folders = ["usr/lib", "lib"].flatMap((base) =>
    existsSync(join(fetched, base))
      ? readdirSync(join(fetched, base))
          .filter((name) => name.includes("-linux-"))
          .map((name) => `${base}/${name}`)
      : [],
  );
  const libraries = folders.map((folder) => `$here/fetched/${folder}`).join(":");
  const wrapper = [
    "#!/bin/sh",
    'here=$(dirname "$(readlink -f "$0")")',
    `LD_LIBRARY_PATH="${libraries}" exec "$here/fetched/redis-server" "$@"`,
    "",
  ].join("\n");
  writeFileSync(`${command}.new`, wrapper);
  chmodSync(`${command}.new`, 0o755);
  renameSync(`${command}.new`, command);
}

async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string> {
  try {
    const options = { cwd, env: { ...env, LC_ALL: "C" }, timeout: 180_000, maxBuffer: 16 * 1024 * 1024 };
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    const lastLine = said.split("\n").at(-1) ?? "";
    const action = args.find((arg) => /^[a-z-]+$/.test(arg) && !arg.startsWith("-")) ?? "";
    throw new OutsideError(`${program} ${action} failed${lastLine === "" ? "" : ` (${lastLine})`}`, {
      code: "failed",
      cause: error,
    });
  }
}
