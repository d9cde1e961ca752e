import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { FixtureFileEntry } from "@copilotkit/aimock";

/**
 * The model server `@copilotkit/aimock` as the program its authors ship, on a free port of loopback. `options` are those
 * of its command line.
 */
export async function startAimock(fixtures: readonly FixtureFileEntry[], options: readonly string[] = []) {
  const dir = await mkdtemp(join(tmpdir(), "parley-aimock-"));
  const file = join(dir, "fixtures.json");
  await writeFile(file, JSON.stringify({ fixtures }));
  const program = join(dirname(createRequire(import.meta.url).resolve("@copilotkit/aimock")), "cli.js");
  const args = [program, "--host", "127.0.0.1", "--port", "0", "--fixtures", file, "--journal-max", "0", ...options];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    const said: string[] = [];
    const look = (line: string) => {
      said.push(line);
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
      if (address !== undefined) resolve(`${address}/v1`);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", look);
    void exited.then(() => reject(new Error(`the model server ended: ${said.join("\n")}`)));
  });
  return {
    url,
    /** What it was asked, oldest first. */
    async requests(): Promise<readonly { readonly body: unknown; readonly headers: Record<string, string> }[]> {
      const reply = await fetch(`${url.replace(/\/v1$/, "")}/__aimock/journal`);
      return (await reply.json()) as { body: unknown; headers: Record<string, string> }[];
    },
    async stop(): Promise<void> {
      child.kill("SIGTERM");
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
