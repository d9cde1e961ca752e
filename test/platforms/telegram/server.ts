import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ZodError } from "zod";
import { ApiFault } from "./api-fault.ts";
import { type BotApi, ReplyLost } from "./bot-api.ts";
import { parseMultipart } from "./multipart.ts";

/** A Bot API server on a port of this machine. */
export interface ApiServer {
  readonly url: string;
  close(): Promise<void>;
}

const TOKEN_FORM = /^\d{6,12}:[\w-]{35}$/;

/** Serves one bot. Tokens of the right form that are not its own are refused as Telegram does it. */
export async function serveBotApi(api: BotApi, token: string): Promise<ApiServer> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void answer(request, response, api, token);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, api: BotApi, token: string): Promise<void> {
  const path = request.url ?? "";
  const [, kind, given = "", rest = ""] = /^\/(file\/bot|bot)([^/]*)\/(.*)$/.exec(path) ?? [];
  const cut = () => void request.socket.destroy();
  response.once("close", () => api.updates.left(cut));
  try {
    if (given !== token)
      throw TOKEN_FORM.test(given) ? new ApiFault(401, "Unauthorized") : new ApiFault(404, "Not Found");
    const garbled = api.takeGarbled();
    if (garbled !== undefined) {
      if (garbled.body === undefined) return cut();
      response.writeHead(502, { "content-type": "text/html" });
      response.end(garbled.body);
      return;
    }
    if (kind === "file/bot") return sendFile(decodeURIComponent(rest), response, api);
    const { args, files } = await readArgs(request);
    reply(response, 200, { ok: true, result: await api.call({ method: rest, args, files, cut }) });
  } catch (error) {
    if (error instanceof ReplyLost) return cut();
    const fault = asFault(error);
    reply(response, fault.status, {
      ok: false,
      error_code: fault.status,
      description: fault.message,
      ...(fault.parameters === undefined ? {} : { parameters: fault.parameters }),
    });
  }
}

function asFault(error: unknown): ApiFault {
  if (error instanceof ApiFault) return error;
  if (error instanceof ZodError)
    return new ApiFault(
      400,
      `Bad Request: ${error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ")}`,
    );
  return new ApiFault(500, "Internal Server Error");
}

async function readArgs(request: IncomingMessage): Promise<Pick<Parameters<BotApi["call"]>[0], "args" | "files">> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data"))
    return {
      args: body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as Record<string, unknown>),
      files: new Map(),
    };
  const { fields, files } = parseMultipart(body, type);
  return { args: fields, files };
}

function sendFile(path: string, response: ServerResponse, api: BotApi): void {
  const file = api.files.get(path.replace("documents/", ""));
  if (file === undefined) return reply(response, 404, { ok: false, error_code: 404, description: "Not Found" });
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": file.content.length });
  response.end(file.content);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
