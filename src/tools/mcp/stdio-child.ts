import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

/** A program started for its stdin and stdout, with every process it starts in turn. */
export interface StdioChild {
  readonly pid: number | undefined;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the program has ended and its output was read, with a few words on how it ended. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it: closes its stdin, then asks, then kills it with all its processes. Settles with `ended`; repeatable. */
  stop(): Promise<void>;
}

export interface StdioProgram {
  readonly command: string;
  readonly args: readonly string[];
  /** All of the program's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
}

// The program gets a process group of its own. The watcher in it reads from a pipe that only this process holds open: it
// reads an end when this process is gone, however it went, and takes the whole group with it. It also keeps the group's
// number from being given to others while the group may still be killed.
const LAUNCH = `(trap "" HUP INT TERM; read -r _ <&3; kill -9 -$$) </dev/null >/dev/null 2>&1 &
exec 3<&-
exec "$@"`;

const PATIENCE_MS = 700;
const OUTPUT_PATIENCE_MS = 500;

/** Starts a program. A program that cannot be started has `ended`, like one that ended at once. */
export function startStdioChild({ command, args, env, cwd }: StdioProgram): StdioChild {
  const child = spawn("/bin/sh", ["-c", LAUNCH, "sh", command, ...args], {
    detached: true,
    env,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const { stdin, stdout, stderr } = child;
  const leash = child.stdio[3];
  // A program that ended breaks its pipes; that it ended is what counts.
  for (const stream of [stdin, stdout, stderr, leash]) stream?.on("error", () => undefined);
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let how = "it could not be started";
  const killGroup = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  };
  child.on("error", (error: NodeJS.ErrnoException) => {
    how = `it could not be started (${error.code ?? "failed"})`;
    resolve(how);
  });
  child.on("exit", (code, signal) => {
    how = describeExit(code, signal);
    // What it started must not live on, and would hold its output open.
    killGroup("SIGKILL");
    setTimeout(() => {
      for (const stream of [stdout, stderr]) stream.destroy();
    }, OUTPUT_PATIENCE_MS).unref();
  });
  child.on("close", () => resolve(how));
  const over = () => Promise.race([ended.then(() => true), delay(PATIENCE_MS, false)]);
  const stop = async () => {
    stdin.end();
    if (!(await over())) {
      killGroup("SIGTERM");
      if (!(await over())) killGroup("SIGKILL");
    }
    await ended;
  };
  let stopping: Promise<void> | undefined;
  return { pid: child.pid, stdin, stdout, stderr, ended, stop: () => (stopping ??= stop()) };
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `it was ended by ${signal}`;
  if (code === 127) return "its program was not found (exit code 127)";
  return code === 0 ? "it ended" : `it ended with exit code ${code}`;
}
