import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withFolderLock } from "../../src/store/folder-lock.ts";
import { runChild } from "./run-child.mjs";

/**
 * Makes `node_modules` fit the lock file, with `npm ci` when it does not. Of several processes that start at once, one
 * installs and the others wait. What somebody installed with npm themselves is left alone when it fits.
 */
export async function ensureInstalled({ root, dev }: { root: string; dev: boolean }): Promise<void> {
  if (isInstalled(root, dev)) return;
  const notice = setTimeout(
    () => console.error("parley: waiting for another process that installs dependencies"),
    1_000,
  );
  const lock = { name: "install-lock", waitMs: 900_000 };
  await withFolderLock(join(root, ".data/launcher"), lock, async () => {
    clearTimeout(notice);
    if (isInstalled(root, dev)) return;
    console.error(`parley: installing dependencies with npm ci, because ${reason(root)}`);
    // Always with the developer's packages: a later `npm test` would otherwise replace them under a running program.
    const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
    const code = await runChild("npm", args, { cwd: root, stdio: ["ignore", 2, 2] });
    if (code !== 0) throw new Error(`npm ci failed with code ${code}; what it said is above`);
    writeFileSync(join(root, STAMP), hashOfLock(root));
  }).finally(() => clearTimeout(notice));
}

/** The part of npm's lock files that says what belongs where. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** The places in `wanted` where `installed` has nothing or something else. What npm may leave out does not count. */
export function findOutdated(wanted: LockFile, installed: LockFile, { dev }: { dev: boolean }): string[] {
  return Object.entries(wanted.packages).flatMap(([place, entry]) => {
    const mayMiss = place === "" || entry.optional || entry.devOptional || (entry.dev && !dev);
    const there = installed.packages[place];
    const fits = there !== undefined && there.version === entry.version && there.integrity === entry.integrity;
    return mayMiss || fits ? [] : [place];
  });
}

/** The hash of the lock file that the launcher itself installed last. */
const STAMP = "node_modules/.parley-installed";
/** Written by npm as the last thing of an installation, so an interrupted one has none. */
const NPM_RECORD = "node_modules/.package-lock.json";

function isInstalled(root: string, dev: boolean): boolean {
  if (!existsSync(join(root, NPM_RECORD))) return false;
  if (existsSync(join(root, STAMP)) && readFileSync(join(root, STAMP), "utf8") === hashOfLock(root)) return true;
  return findOutdated(readLock(root, "package-lock.json"), readLock(root, NPM_RECORD), { dev }).length === 0;
}

function reason(root: string): string {
  return existsSync(join(root, NPM_RECORD)) ? "they do not fit package-lock.json" : "they are missing";
}

function hashOfLock(root: string): string {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function readLock(root: string, file: string): LockFile {
  // npm wrote both files; one it cannot read itself is reported by the installation that follows.
  const value: unknown = JSON.parse(readFileSync(join(root, file), "utf8"));
  return isLockFile(value) ? value : { packages: {} };
}

function isLockFile(value: unknown): value is LockFile {
  return typeof value === "object" && value !== null && "packages" in value && typeof value.packages === "object";
}
