import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { OutsideError } from "../kernel/errors.ts";
import type { Api } from "./parts.ts";
import { localUrl } from "../kernel/address.ts";

/** A listening server. */
export interface Listening {
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  /** Stops listening, ends event streams, waits for requests under way up to `drainMs`, then cuts what is left. */
  close(): Promise<void>;
}

/** Serves the API over HTTP. Port 0 takes any free one. Throws `OutsideError` when it cannot listen there. */
export async function listen(
  api: Pick<Api, "fetch">,
  { host, port, drainMs = 5_000 }: { readonly host: string; readonly port: number; readonly drainMs?: number },
): Promise<Listening> {
  const closing = new AbortController();
  const listener = getRequestListener((request) => api.fetch(request, { closing: closing.signal }), {
    // What cannot be made a request at all, such as a malformed Host header.
    errorHandler: () => Response.json(MALFORMED, { status: 400 }),
    overrideGlobalObjects: false,
  });
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    // A connection kept open for more requests would keep a closing server from ending.
    response.once("close", () => {
      if (closing.signal.aborted) setImmediate(() => server.closeIdleConnections());
    });
    void listener(request, response);
  });
  server.on("clientError", answerClientError);
  await startListening(server, host, port);
  let closed: Promise<void> | undefined;
  return {
    url: urlOf(server, host),
    close() {
      closed ??= closeServer(server, closing, drainMs);
      return closed;
    },
  };
}

/** How long a client may take to send a whole request. */
const REQUEST_TIMEOUT_MS = 60_000;

const MALFORMED = { error: { code: "invalid_request", message: "The request is malformed" } };

async function startListening(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE" ? ": the port is in use" : "";
    throw new OutsideError(`Cannot listen on ${host}, port ${port}${why}`, { code: "unavailable", cause });
  }
}

async function closeServer(server: Server, closing: AbortController, drainMs: number): Promise<void> {
  const ended = once(server, "close");
  server.close();
  closing.abort();
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await ended;
  clearTimeout(cut);
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return localUrl(host, port);
}

// What Node's parser refuses never reaches the application.
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_PARSER[error.code ?? ""] ?? "400 Bad Request";
  const body = JSON.stringify(MALFORMED);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const STATUS_OF_PARSER: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};
