import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as the server got it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answer = (request: Seen, response: ServerResponse) => boolean | Promise<boolean>;

/**
 * An MCP server over streamable HTTP on loopback, written by hand because it has to misbehave. `first` may answer a
 * request instead of it; it says so by `true`.
 */
export async function webServer(first: Answer = () => false) {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of incoming) body += String(chunk);
      const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, body };
      seen.push(request);
      if (!(await first(request, response))) speakMcp(request, response);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return { url: `http://${host}/mcp`, origin: `http://${host}`, host, seen };
}

const TOOLS = ["echo", "cut", "half", "large", "silent", "fail"].map((name) => ({
  name,
  inputSchema: { type: "object" },
  annotations: { readOnlyHint: true },
}));

function speakMcp({ method, path, body }: Seen, response: ServerResponse): void {
  if (path !== "/mcp") return void sendJson(response, 404, { error: "nothing here" });
  if (method !== "POST") return void response.writeHead(405).end();
  const message = JSON.parse(body) as { id?: number; method: string; params?: Record<string, unknown> };
  if (message.id === undefined) return void response.writeHead(202).end();
  const answer = (result: object) => sendJson(response, 200, { jsonrpc: "2.0", id: message.id, result });
  switch (message.method) {
    case "initialize":
      return void answer({
        protocolVersion: message.params?.["protocolVersion"],
        capabilities: { tools: {} },
        serverInfo: { name: "web", version: "1" },
      });
    case "tools/list":
      return void answer({ tools: TOOLS });
    case "tools/call":
      return callTool(String(message.params?.["name"]), response, answer);
    default:
      return void sendJson(response, 200, {
        jsonrpc: "2.0",
        id: message.id,
        error: { code: -32601, message: "Method not found" },
      });
  }
}

function callTool(name: string, response: ServerResponse, answer: (result: object) => void): void {
  switch (name) {
    case "cut":
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": I begin\n\n");
      return void setImmediate(() => response.destroy());
    case "half":
      response.writeHead(200, { "content-type": "text/event-stream" });
      return void response.end(": and I end without an answer\n\n");
    case "large":
      return void answer({ content: [{ type: "text", text: "x".repeat(500_000) }] });
    case "silent":
      return;
    case "fail":
      return void sendJson(response, 500, { error: "the database is down, its password is hunter2" });
    default:
      return void answer({ content: [{ type: "text", text: "echoed" }] });
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers: object = {}): boolean {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  return true;
}
