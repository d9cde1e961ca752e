import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What stands before a program that is reached from the internet: an address that stays, whatever is behind it. */
export interface Proxy {
  readonly url: string;
  leadTo(url: string): void;
  close(): Promise<void>;
}

/** Opens a proxy that leads nowhere yet: everything is answered with 502. */
export async function openProxy(): Promise<Proxy> {
  let target: string | undefined;
  const server = createServer((request, response) => void pass(request, response, target));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(url) {
      target = url;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(request: IncomingMessage, response: ServerResponse, target: string | undefined): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const secret = request.headers["x-telegram-bot-api-secret-token"];
  try {
    if (target === undefined) throw new Error("there is nothing behind this address yet");
    const answer = await fetch(`${target}${request.url ?? ""}`, {
      method: request.method ?? "GET",
      headers: {
        "content-type": request.headers["content-type"] ?? "",
        ...(typeof secret === "string" ? { "x-telegram-bot-api-secret-token": secret } : {}),
      },
      body: Buffer.concat(pieces),
    });
    response.writeHead(answer.status);
    response.end(Buffer.from(await answer.arrayBuffer()));
  } catch {
    response.writeHead(502);
    response.end();
  }
}
