import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describeError } from "../../../src/kernel/errors.ts";
import type { Fault, WorldFile } from "../world.ts";
import { ApiError, missingPermissions, unauthorized } from "./api-error.ts";
import { createGateway, type GatewayServer } from "./gateway.ts";
import { createRest, type Call, type Reply } from "./rest.ts";
import { createState, type State } from "./state.ts";

/** A Discord on this machine: its HTTP API, its gateway and its file server. */
export interface DiscordServer {
  readonly state: State;
  readonly gateway: GatewayServer;
  /** For `DISCORD_API_URL`. */
  readonly apiUrl: string;
  readonly origin: string;
  /** The next calls that post meet these, one each. */
  readonly faults: Fault[];
  /** Every call, oldest first. */
  readonly calls: { readonly method: string; readonly path: string; readonly body: unknown; readonly status: number }[];
  /** How long the gateway asks to wait between heartbeats; for connections that begin from now on. */
  heartbeatMs: number;
  /** Calls whose path matches are answered with 500 from now on; undefined ends that. */
  failing: RegExp | undefined;
  close(): Promise<void>;
}

/** Starts a Discord on loopback. */
export async function startDiscord(token: string): Promise<DiscordServer> {
  const state = createState({ token });
  const http = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const gateway = createGateway(http, state, {
    url: () => `ws://127.0.0.1:${port}/gateway`,
    heartbeatMs: () => server.heartbeatMs,
  });
  const rest = createRest({ state, origin: () => origin, dispatch: (event, data) => gateway.dispatch(event, data) });
  const server: DiscordServer = {
    state,
    gateway,
    apiUrl: `${origin}/api`,
    origin,
    faults: [],
    calls: [],
    heartbeatMs: 41_250,
    failing: undefined,
    async close() {
      gateway.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", origin);
    if (url.pathname.startsWith("/attachments/")) return download(url, response);
    let call: Call | undefined;
    try {
      call = await readCall(request, url);
      meetFault(call, "before", response);
      const reply = rest(call);
      server.calls.push({ method: call.method, path: call.path, body: call.body, status: reply.status });
      if (reply.posted === true && meetFault(call, "after", response)) return;
      send(response, reply.status, reply.body);
    } catch (error) {
      const refusal = error instanceof ApiError ? error : new ApiError(500, 0, `500: ${describeError(error)}`);
      server.calls.push({
        method: request.method ?? "",
        path: call?.path ?? url.pathname,
        body: call?.body,
        status: refusal.status,
      });
      const { message, code, errors, headers } = refusal;
      const body = refusal.status === 429 ? errors : { message, code, ...(errors === undefined ? {} : { errors }) };
      send(response, refusal.status, body, headers);
    }
  }

  /** Throws for faults that keep the call from being done; true when its reply is to be lost. */
  function meetFault(call: Call, when: "before" | "after", response: ServerResponse): boolean {
    if (when === "before" && server.failing?.test(call.path) === true)
      throw new ApiError(500, 0, "500: Internal Server Error");
    const [fault] = server.faults;
    if (fault === undefined || !posts(call)) return false;
    if ((fault.kind === "reply-lost") !== (when === "after")) return false;
    server.faults.shift();
    switch (fault.kind) {
      case "reply-lost":
        response.socket?.destroy();
        return true;
      case "rate-limited":
        throw new ApiError(429, 0, "You are being rate limited.", {
          errors: { message: "You are being rate limited.", retry_after: fault.seconds, global: false },
          headers: {
            "retry-after": String(Math.ceil(fault.seconds)),
            "x-ratelimit-limit": "5",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset-after": String(fault.seconds),
            "x-ratelimit-scope": "user",
          },
        });
      case "failing":
        throw new ApiError(fault.status, 0, `${fault.status}: Internal Server Error`);
      case "unauthorized":
        throw unauthorized();
      case "forbidden":
        throw missingPermissions();
      case "markup-refused":
        // There is no markup that Discord refuses: what it does not understand is shown as it is.
        return false;
    }
  }

  function download(url: URL, response: ServerResponse): void {
    const [, , channelId = "", messageId = "", fileId = ""] = url.pathname.split("/");
    const file = state.findMessage(channelId, messageId)?.attachments.find(({ id }) => id === fileId);
    if (file === undefined || !state.isSigned(fileId, url.searchParams.get("hm"))) {
      response.writeHead(404, { "content-type": "text/plain" }).end("This content is no longer available.");
      return;
    }
    response.writeHead(200, { "content-type": file.mimeType }).end(file.content);
  }

  return server;
}

/** Whether a call puts an answer where people see it. */
function posts({ method, path }: Call): boolean {
  return (
    (method === "POST" && /^\/channels\/\d+\/messages$/.test(path)) ||
    (method === "PATCH" && /^\/webhooks\/.*\/messages\/@original$/.test(path))
  );
}

async function readCall(request: IncomingMessage, url: URL): Promise<Call> {
  const path = /^\/api\/v10(\/.*)$/.exec(url.pathname)?.[1];
  if (path === undefined) throw new ApiError(404, 0, "404: Not Found");
  const type = request.headers["content-type"] ?? "";
  const content = await buffer(request);
  const common = {
    method: request.method ?? "GET",
    path,
    query: url.searchParams,
    authorization: request.headers.authorization,
  };
  if (!type.startsWith("multipart/"))
    return { ...common, body: content.length === 0 ? undefined : JSON.parse(content.toString()), files: [] };
  const stream = Readable.toWeb(Readable.from([content]));
  const form = await new Response(stream as ReadableStream, { headers: { "content-type": type } }).formData();
  const files: WorldFile[] = [];
  for (const [name, value] of form)
    if (typeof value !== "string" && /^files\[\d+\]$/.test(name))
      files.push({ name: value.name, mimeType: value.type, content: Buffer.from(await value.arrayBuffer()) });
  const payload = form.get("payload_json");
  return { ...common, body: typeof payload === "string" ? JSON.parse(payload) : {}, files };
}

function send(
  response: ServerResponse,
  status: Reply["status"],
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
