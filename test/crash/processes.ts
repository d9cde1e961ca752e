import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** One process of the program under test. */
export interface ParleyProcess {
  readonly child: ChildProcess;
  /** Where its API answers; "-" without the api role. */
  readonly url: string;
  /** Lines it logged, for a failing test's message. */
  readonly lines: readonly string[];
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

const PROGRAM = new URL("./programs/parley.ts", import.meta.url).pathname;

/** Starts the program and resolves when it is up. It is killed when the test is over. */
export async function startParley(env: Record<string, string>): Promise<ParleyProcess> {
  return (await loadSpare(env, { spare: false })).begin();
}

/** Loads the program; `begin` starts it a moment later. For a process that replaces a killed one at once. */
export async function loadSpare(
  env: Record<string, string>,
  { spare = true }: { readonly spare?: boolean } = {},
): Promise<{ begin(): Promise<ParleyProcess> }> {
  const child = spawn(process.execPath, [PROGRAM], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOST: "127.0.0.1",
      PORT: "0",
      LOG_LEVEL: "warn",
      SPARE: spare ? "1" : "0",
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const lines: string[] = [];
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on("line", (line) => {
          lines.push(line);
          const match = pattern.exec(line);
          if (match !== null) resolve(match[1] ?? "");
        });
      void ended.then(() => reject(new Error(`the program ended before it was up:\n${lines.join("\n")}`)));
    });
  const ready = said(/^ready (\S+)$/);
  // A spare may be killed with the test before it was ever needed.
  ready.catch(() => {});
  if (spare) await said(/^spare$/);
  return {
    async begin() {
      if (spare) child.stdin.write("go\n");
      return { child, url: await ready, lines, ended };
    },
  };
}
