import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** A process that can be told from a later one with the same number, by when it began. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Comparable only with itself; absent where the system does not say. */
  readonly began?: string | undefined;
}

/** The identity of a running process. */
export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, began: look(pid)?.began };
}

/** Whether that very process still runs. A zombie does not: it holds nothing any more. */
export function isRunning({ pid, began }: ProcessIdentity): boolean {
  if (!exists(pid)) return false;
  const now = look(pid);
  return now === undefined || (!now.isZombie && (began === undefined || now.began === began));
}

interface Look {
  readonly isZombie: boolean;
  readonly began: string;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM means that it exists and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function look(pid: number): Look | undefined {
  try {
    return existsSync("/proc/self/stat") ? lookInProc(pid) : lookWithPs(pid);
  } catch {
    // It ended meanwhile, or there is no ps; the caller then knows the number alone.
    return undefined;
  }
}

function lookInProc(pid: number): Look | undefined {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the command in brackets and may hold spaces and brackets itself.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // Ticks count from the boot, so they could repeat after the next one.
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return { isZombie: fields[0] === "Z", began: `${boot}/${fields[19]}` };
}

function lookWithPs(pid: number): Look | undefined {
  const text = execFileSync("ps", ["-p", String(pid), "-o", "stat=,lstart="], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
  }).trim();
  const [, state, began] = /^(\S+)\s+(.+)$/.exec(text) ?? [];
  return state === undefined || began === undefined ? undefined : { isZombie: state.startsWith("Z"), began };
}
