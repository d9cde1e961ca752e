import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { interpolate } from "../../src/config/interpolate.ts";
import { parseConversationId, parseRunId, parseWorkspaceId, type WorkspaceId } from "../../src/kernel/ids.ts";
import { silentLog, systemClock, type Log } from "../../src/kernel/ports.ts";
import type { Tool, ToolContext } from "../../src/tools/contract.ts";
import { watchMcpConfig } from "../../src/tools/mcp/config-watch.ts";
import { createMcpTools, type McpToolsOptions } from "../../src/tools/mcp/mcp-tools.ts";
import { createPersonServerStore } from "../../src/tools/mcp/person-servers.ts";

export const ADA = parseWorkspaceId("slack:U1");
export const BOB = parseWorkspaceId("slack:U2");

/** A program of this folder, for `command` and `args` in the settings. */
export const ODD_SERVER = fileURLToPath(new URL("./programs/odd-server.ts", import.meta.url));
const LOOPBACK = fileURLToPath(new URL("./programs/loopback.ts", import.meta.url));

const REFERENCE_SERVERS = {
  everything: import.meta.resolve("@modelcontextprotocol/server-everything/package.json"),
  memory: import.meta.resolve("@modelcontextprotocol/server-memory/package.json"),
  filesystem: import.meta.resolve("@modelcontextprotocol/server-filesystem/package.json"),
};

/** The program of a public reference server. */
export function referenceServer(name: keyof typeof REFERENCE_SERVERS): string {
  return fileURLToPath(new URL("./dist/index.js", REFERENCE_SERVERS[name]));
}

/** The tools of the servers in `servers`, from a real file, with people's servers in a real Redis. */
export async function mcpLab(redis: Redis, servers: object, more: Partial<McpToolsOptions> & { file?: object } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "parley-mcp-"));
  // YAML takes JSON as it is.
  const write = (file: object) => writeFileSync(join(dir, "mcp.yaml"), JSON.stringify(file));
  const { file = {}, env = process.env, log = silentLog, ...options } = more;
  write({ servers, ...file });
  const config = await watchMcpConfig({
    dir,
    fill: (text) => interpolate(text, env),
    log,
    debounceMs: 10,
    pollMs: 60_000,
  });
  let ids = 0;
  const mcp = createMcpTools({
    config,
    people: createPersonServerStore(redis),
    env,
    log,
    clock: systemClock,
    newId: () => `id${(ids += 1)}`,
    patienceMs: 15_000,
    ...options,
  });
  onTestFinished(async () => {
    await mcp.close();
    await config.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const find = async (name: string, who: WorkspaceId = ADA): Promise<Tool> => {
    const tools = await mcp.toolsFor(who);
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined) throw new Error(`no tool ${name} among ${tools.map((each) => each.name).join(", ")}`);
    return tool;
  };
  return {
    mcp,
    config,
    dir,
    find,
    /** Replaces the file and waits until it was read. */
    rewrite: async (file: object) => {
      write(file);
      await config.check();
    },
    call: async (name: string, args: unknown = {}, context: Partial<ToolContext> = {}) => {
      const outcome = await (await find(name, context.workspaceId)).run(args, callContext(context));
      return outcome.kind === "result" ? outcome.value : outcome;
    },
    statusOf: (name: string) => mcp.status().find((server) => server.name === name),
  };
}

export function callContext(more: Partial<ToolContext> = {}): ToolContext {
  return {
    workspaceId: ADA,
    conversationId: parseConversationId("web:1"),
    runId: parseRunId("r1"),
    idempotencyKey: "r1:tool_1_1",
    attempt: 1,
    signal: new AbortController().signal,
    clock: systemClock,
    log: silentLog,
    ...more,
  };
}

/** A log that keeps its lines and tells when one that matches is written. */
export function listeningLog() {
  const lines: string[] = [];
  const waiting: { readonly pattern: RegExp; readonly done: () => void }[] = [];
  const write = (bound: object) => (fields: object, message: string) => {
    const line = `${message} ${JSON.stringify({ ...bound, ...fields })}`;
    lines.push(line);
    for (const { pattern, done } of waiting) if (pattern.test(line)) done();
  };
  const make = (bound: object): Log => ({
    debug: write(bound),
    info: write(bound),
    warn: write(bound),
    error: write(bound),
    with: (fields) => make({ ...bound, ...fields }),
  });
  return {
    log: make({}),
    lines,
    /** Settles when a line that matches is written from now on. */
    next: (pattern: RegExp) => new Promise<void>((done) => void waiting.push({ pattern, done })),
  };
}

/** The reference server that has everything, over streamable HTTP, reachable from this machine alone. */
export async function everythingOverHttp(port = 0) {
  const child = spawn(process.execPath, ["--import", LOOPBACK, referenceServer("everything"), "streamableHttp"], {
    env: { PATH: process.env["PATH"], PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => endOf(child));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  createInterface({ input: child.stderr }).on("line", (line) => {
    const address = /^listening on (.*)$/.exec(line)?.[1];
    if (address !== undefined) resolve((JSON.parse(address) as { port: number }).port);
  });
  child.once("exit", () => reject(new Error("the reference server did not start")));
  const bound = await promise;
  const output = createInterface({ input: child.stdout });
  /** Settles when the server has got another request. */
  const nextPost = () =>
    new Promise<void>((done) => {
      const read = (line: string) => {
        if (!line.includes("Received MCP POST")) return;
        output.off("line", read);
        done();
      };
      output.on("line", read);
    });
  return { url: `http://127.0.0.1:${bound}/mcp`, port: bound, nextPost, kill: () => endOf(child) };
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Whether a process is still at work; one that ended and was not yet collected by its parent is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // Without /proc there is nothing more to ask.
    return error instanceof Error && "code" in error && error.code === "ENOENT" && !existsSync("/proc/self");
  }
}
