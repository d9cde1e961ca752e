import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

// An MCP server over stdio, written by hand because it has to misbehave. Its arguments say how:
//   die-at-start, hang-at-start, hang-at-list, many-tools, deaf, modern, chatty
// STARTS names a file that gets a line for every start.

type Message = { id?: number | string; method?: string; params?: Record<string, unknown> };

const manners = new Set(process.argv.slice(2));
const starts = process.env["STARTS"];
if (starts !== undefined) appendFileSync(starts, `${process.pid}\n`);
if (manners.has("die-at-start")) {
  process.stderr.write("I cannot go on\n");
  end(3);
}
if (manners.has("deaf")) {
  process.on("SIGTERM", () => undefined);
  setInterval(() => undefined, 1000);
}

const tool = (name: string, more: object = {}) => ({
  name,
  description: `The tool ${name}.`,
  inputSchema: { type: "object", properties: { value: { type: "string" } } },
  ...more,
});
const reads = { annotations: { readOnlyHint: true } };
const tools = new Map(
  [
    tool("echo", reads),
    tool("hang", reads),
    tool("hang-once"),
    tool("die", { annotations: { idempotentHint: true } }),
    tool("die-once"),
    tool("env", reads),
    tool("grow"),
    tool("shrink"),
    tool("flood"),
    tool("large", reads),
    tool("fail", reads),
    tool("refuse", reads),
    tool("child", reads),
    tool("block", reads),
  ].map((each) => [each.name, each]),
);
if (manners.has("many-tools")) for (let n = 0; n < 300; n += 1) tools.set(`tool-${n}`, tool(`tool-${n}`));

// Nothing is left to do without input.
function end(code: number): void {
  process.exitCode = code;
  process.stdin.destroy();
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

function answer(id: Message["id"], result: object): void {
  // The newer protocol wants to be told how long an answer may be kept.
  const kept = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
  send({ id, result: manners.has("modern") ? { ...kept, ...result } : result });
}

const text = (words: string, more: object = {}) => ({ content: [{ type: "text", text: words }], ...more });

async function call(id: Message["id"], name: string, args: Record<string, unknown>, meta: unknown): Promise<void> {
  switch (name) {
    case "echo":
      return answer(id, text(JSON.stringify({ args, meta })));
    case "hang":
    case "hang-once":
      process.stderr.write("hanging\n");
      return;
    case "die":
    case "die-once":
      return end(9);
    case "env":
      return answer(id, text(JSON.stringify(process.env)));
    case "grow":
      tools.set("grown", tool("grown"));
      send({ method: "notifications/tools/list_changed" });
      return answer(id, text("grown"));
    case "shrink":
      tools.delete("echo");
      send({ method: "notifications/tools/list_changed" });
      return answer(id, text("shrunk"));
    case "flood":
      for (;;) {
        send({ method: "notifications/message", params: { level: "info", data: "x".repeat(10_000) } });
        if (process.stdout.writableNeedDrain) await delay(1);
      }
    case "large":
      return answer(id, text("x".repeat(Number(args["value"]))));
    case "fail":
      return answer(id, text("the disk is full", { isError: true }));
    case "refuse":
      return send({ id, error: { code: -32602, message: "value must be a colour" } });
    case "child": {
      const child = spawn("sleep", ["600"], { stdio: "inherit" });
      return answer(id, text(String(child.pid)));
    }
    case "block":
      for (;;);
    default:
      return send({ id, error: { code: -32602, message: `no tool named ${name}` } });
  }
}

const about = {
  capabilities: { tools: { listChanged: !manners.has("modern") } },
  serverInfo: { name: "odd", version: "1" },
};

function list(id: Message["id"], cursor: unknown): void {
  if (manners.has("hang-at-list")) return;
  const all = [...tools.values()];
  const from = Number(cursor ?? 0);
  const next = from + 50 < all.length ? { nextCursor: String(from + 50) } : {};
  answer(id, { tools: all.slice(from, from + 50), ...next });
}

async function handle({ id, method, params = {} }: Message): Promise<void> {
  if (id === undefined || manners.has("hang-at-start")) return;
  if (method === "initialize" && !manners.has("modern"))
    return answer(id, { protocolVersion: params["protocolVersion"], ...about });
  if (method === "server/discover" && manners.has("modern"))
    return answer(id, { supportedVersions: ["2026-07-28"], ...about });
  if (method === "tools/list") return list(id, params["cursor"]);
  if (method === "tools/call")
    return call(id, String(params["name"]), (params["arguments"] ?? {}) as Record<string, unknown>, params["_meta"]);
  if (method === "ping") return answer(id, {});
  send({ id, error: { code: -32601, message: "Method not found" } });
}

if (manners.has("chatty")) process.stdout.write('Welcome to the odd server!\n{"not": "json-rpc"}\n');
createInterface({ input: process.stdin }).on("line", (line) => void handle(JSON.parse(line) as Message));
