import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Resolves with what the next line that begins with `word` is about; lines that came before count, each once. */
  heard(word: string): Promise<string>;
  /** Sends SIGKILL and waits until the process is gone. */
  kill(): Promise<void>;
  tell(line: string): void;
}

export interface WorkerSettings {
  readonly socketPath: string;
  readonly db?: number;
  readonly leaseMs?: number;
  readonly effects: string;
  readonly dieAt?: string;
}

const PROGRAM = join(import.meta.dirname, "programs/worker.ts");

/** Starts a worker process and waits until it takes work; it ends with the test. */
export async function startWorkerProcess(settings: WorkerSettings): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(settings)], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(async () => kill(child));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const heard = (word: string): Promise<string> =>
    new Promise((resolve) => {
      const look = () => {
        const index = lines.findIndex((line) => line.startsWith(`${word} `));
        if (index < 0) return;
        waiting.delete(look);
        resolve(lines.splice(index, 1)[0]?.slice(word.length + 1) ?? "");
      };
      waiting.add(look);
      look();
    });
  await heard("ready");
  return {
    child,
    heard,
    kill: () => kill(child),
    tell: (line) => void child.stdin.write(`${line}\n`),
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** A file to which processes append what they did to the world. */
export function effectsFile(): { readonly path: string; read(): string[] } {
  const folder = mkdtempSync(join(tmpdir(), "parley-effects-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "effects");
  writeFileSync(path, "");
  return { path, read: () => readFileSync(path, "utf8").split("\n").slice(0, -1) };
}
