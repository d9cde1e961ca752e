import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { OutsideError } from "../kernel/errors.ts";
import { waitForRedis } from "./redis-probe.ts";
import { repairAppendOnlyFile } from "./repair-aof.ts";

/** How to run one server. Only a unix socket is opened unless `args` say otherwise. */
export interface RedisServerOptions {
  /** The server program, from `findRedisServer`. */
  readonly command: string;
  /** Where its data and its log live; created when missing. */
  readonly dir: string;
  /** More options as on the command line, for instance `["--appendonly", "yes"]`. */
  readonly args?: readonly string[];
  /** `<dir>/redis.sock` unless told otherwise. */
  readonly socketPath?: string;
  /**
   * Lets the server outlive this process, and keeps Ctrl-C in a terminal from it. Otherwise it ends with this process,
   * however that ends.
   */
  readonly detached?: boolean;
  /** Called with the process number while the server still waits to begin; it begins only after this returned. */
  readonly announce?: (pid: number) => void;
}

/** A server started by this process. */
export interface RedisServer {
  readonly socketPath: string;
  /** The process number of the latest start. */
  readonly pid: number;
  /** Ends it as an administrator would: data is written out first. */
  stop(): Promise<void>;
  /** Ends it as a crash would, with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same data after `stop` or `kill`. */
  restart(): Promise<void>;
}

/** Starts a server and waits until it takes commands. Throws `OutsideError` with the end of its log when it does not. */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  const dir = resolve(options.dir);
  const socketPath = options.socketPath ?? join(dir, "redis.sock");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let running = await launch(options, dir, socketPath);

  return {
    socketPath,
    get pid() {
      return running.pid;
    },
    stop: () => end(running, "SIGTERM"),
    kill: () => end(running, "SIGKILL"),
    async restart() {
      await end(running, "SIGTERM");
      running = await launch(options, dir, socketPath);
    },
  };
}

interface RunningServer {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<void>;
}

/**
 * The shell becomes the server only when it is told to go. If this process dies before `announce` has put the number
 * on record, the shell reads the end of its input and no server begins that nobody knows of.
 */
const WAIT_THEN_SERVE = 'read -r go && exec "$0" "$@"';
/** The same, with a watcher that ends the server when its input ends, as it does when this process is gone. */
const WAIT_THEN_SERVE_TIED = `read -r go || exit 1; exec 3<&0; (cat <&3; kill $$) >/dev/null 2>&1 & exec 3<&-; exec "$0" "$@"`;

const READY_MS = 60_000;
const STOP_MS = 10_000;

async function launch(options: RedisServerOptions, dir: string, socketPath: string): Promise<RunningServer> {
  repairAppendOnlyFile(dir);
  const logPath = join(dir, "redis.log");
  const output = openLog(logPath);
  const args = ["--port", "0", "--unixsocket", socketPath, "--unixsocketperm", "700", "--dir", dir];
  const detached = options.detached ?? false;
  const script = detached ? WAIT_THEN_SERVE : WAIT_THEN_SERVE_TIED;
  const child = spawn("/bin/sh", ["-c", script, options.command, ...args, ...(options.args ?? [])], {
    stdio: ["pipe", output, output],
    detached,
    // The server needs no secret of ours.
    env: { PATH: process.env["PATH"] },
  });
  closeSync(output);
  const ended = new Promise<void>((done) => {
    child.once("exit", () => {
      child.stdin?.destroy();
      done();
    });
    child.once("error", () => done());
  });
  // A detached server may be left to others; waiting for it must not keep this process from ending.
  if (detached) child.unref();
  const { pid } = child;
  if (pid === undefined) throw new OutsideError("could not start a process for Redis", { code: "failed" });
  child.stdin?.on("error", () => undefined);

  try {
    options.announce?.(pid);
    child.stdin?.write("go\n");
    if (detached) child.stdin?.end();
    await waitForRedis(socketPath, { hasEnded: () => hasEnded(child), waitMs: READY_MS });
  } catch (error) {
    await end({ child, pid, ended }, "SIGKILL");
    throw new OutsideError(`Redis did not start in ${dir}; its log ends with:\n${tail(logPath)}`, {
      code: "unavailable",
      cause: error,
    });
  }
  return { child, pid, ended };
}

async function end({ child, ended }: RunningServer, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  child.kill(signal);
  const lastResort = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(lastResort);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** Opens the log for appending; a large one from earlier starts is put aside, so that two files are the most kept. */
function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 1_000_000) renameSync(path, `${path}.old`);
  return openSync(path, "a", 0o600);
}

function tail(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-8).join("\n");
}
