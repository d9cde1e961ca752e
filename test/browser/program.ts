import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Stage } from "./stage.ts";

/** The real program, as `node src/main.ts`. */
export interface Program {
  readonly url: string;
  /** Ends it as a crash would, at once. */
  kill(): Promise<void>;
}

const ROOT = join(import.meta.dirname, "../..");

/** Starts the program and waits until it says where it is. */
export async function startProgram(stage: Stage, env: Readonly<Record<string, string>>): Promise<Program> {
  const data = mkdtempSync(join(tmpdir(), "parley-browser-"));
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], PORT: "0", LOG_LEVEL: "warn", PARLEY_DATA: data, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  stage.until(async () => {
    await kill();
    rmSync(data, { recursive: true, force: true });
  });

  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
        if (found !== undefined && !line.startsWith("{")) resolve(found);
      });
    void ended.then(() => reject(new Error(`The program ended before it was up:\n${lines.join("\n")}`)));
  });
  return { url, kill };
}
