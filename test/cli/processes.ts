import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { inject, onTestFinished } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

/** Variables of a child: nothing of this process but what a program needs, and a Redis server on PATH. */
type Env = Readonly<Record<string, string>>;

/** A folder for the calling test alone. */
export function temporaryFolder(until: (end: () => void) => void = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-cli-"));
  until(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The real program, listening; it is killed with the test unless it was stopped before. */
export async function startBot(env: Env, until: (end: () => Promise<void>) => void = onTestFinished) {
  const child = spawn(process.execPath, [join(ROOT, "src/main.ts")], {
    env: { ...base(), PORT: "0", ...env },
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  until(() => end("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /Chat in the browser: +(\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return { url, port: new URL(url).port, kill: () => end("SIGKILL") };
  }
  throw new Error("the bot did not start");
}

/** The command line program as it runs: `done` resolves when it has ended. */
export function beginCli(args: readonly string[], env: Env = {}) {
  const child = spawn(process.execPath, [join(ROOT, "src/cli/index.ts"), ...args], {
    env: { ...base(), ...env },
    cwd: ROOT,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const done = Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]).then(
    ([out, err, [code]]: [string, string, unknown[]]) => ({ out, err, code }),
  );
  return { child, done };
}

/** Runs the command line program to its end with this input. */
export function runCli(args: readonly string[], { env, input = "" }: { env?: Env; input?: string } = {}) {
  const { child, done } = beginCli(args, env);
  child.stdin.end(input);
  return done;
}

function base(): Env {
  return { PATH: `${dirname(inject("redisCommand"))}:${process.env["PATH"]}`, PARLEY_CONFIG: "no-such-folder" };
}
