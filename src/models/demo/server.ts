import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import { completionBody, completionChunks, DEMO_MODEL } from "./completion.ts";
import { decide } from "./decide.ts";
import { demoRequestSchema, type DemoRequest } from "./protocol.ts";
import { summarise } from "./summary-rules.ts";
import { findTranscriptProblem, readTurn } from "./transcript.ts";

/** A running demo model. */
export interface DemoModel {
  /** The base to use as the model's address, ending in `/v1`. */
  readonly url: string;
  /** Ends the server and whatever it is still sending. */
  stop(): Promise<void>;
}

/**
 * Starts the offline demo model: an OpenAI-compatible server on a free port of this machine that answers from rules
 * and really calls the tools it is offered. It keeps nothing between requests, so many processes may each run one.
 */
export async function startDemoModel(options: {
  readonly host?: string;
  /** The pause before each streamed word; 12 ms unless told otherwise. */
  readonly wordDelayMs?: number;
  readonly log: Log;
}): Promise<DemoModel> {
  const { host = "127.0.0.1", wordDelayMs = 12, log } = options;
  const server = createServer((request, response) => {
    serve(request, response, wordDelayMs).catch((error: unknown) => {
      // A caller that hung up is none of our failures.
      if (!response.destroyed) log.warn({ error: describeError(error) }, "the demo model failed to answer");
      response.destroy();
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/v1`;
  log.debug({ url }, "the offline demo model is listening");
  return {
    url,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const MAX_BODY_BYTES = 20_000_000;

async function serve(request: IncomingMessage, response: ServerResponse, wordDelayMs: number): Promise<void> {
  const path = new URL(request.url ?? "/", "http://demo").pathname;
  const route = `${request.method} ${path}`;
  if (route === "GET /v1/models") return sendJson(response, 200, { object: "list", data: [MODEL_ENTRY] });
  if (route === `GET /v1/models/${DEMO_MODEL}`) return sendJson(response, 200, MODEL_ENTRY);
  if (route !== "POST /v1/chat/completions")
    return refuse(response, { status: 404, message: `Invalid URL (${route})` });

  const body = await readBody(request);
  if (body === undefined) return refuse(response, { status: 413, message: "The request is too large." });
  const parsed = parseRequest(body);
  if ("status" in parsed) return refuse(response, parsed);
  const forSummary = request.headers["x-parley-purpose"] === "summary";
  const move = forSummary ? summarise(parsed) : decide(readTurn(parsed));
  if (parsed.stream !== true) return sendJson(response, 200, completionBody(parsed, move));
  await sendStream(response, completionChunks(parsed, move), wordDelayMs);
}

const MODEL_ENTRY = { id: DEMO_MODEL, object: "model", created: 0, owned_by: "parley" };

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const bytes of request as AsyncIterable<Buffer>) {
    size += bytes.length;
    // Read to its end all the same: an answer to a half-sent request would be lost with the connection.
    if (size <= MAX_BODY_BYTES) chunks.push(bytes);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks).toString("utf8") : undefined;
}

interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly param?: string;
}

function parseRequest(body: string): DemoRequest | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { status: 400, message: "We could not parse the JSON body of your request." };
  }
  const request = demoRequestSchema.safeParse(value);
  if (!request.success) {
    const [issue] = request.error.issues;
    const param = (issue?.path ?? []).map((part) => (typeof part === "number" ? `[${part}]` : String(part))).join(".");
    return { status: 400, message: `Invalid value for '${param}': ${issue?.message ?? "unusable"}`, param };
  }
  const problem = findTranscriptProblem(request.data.messages);
  return problem === undefined ? request.data : { status: 400, ...problem };
}

function refuse(response: ServerResponse, { status, message, param }: Refusal): void {
  sendJson(response, status, {
    error: { message, type: "invalid_request_error", param: param ?? null, code: null },
  });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function sendStream(response: ServerResponse, chunks: readonly object[], wordDelayMs: number): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (const chunk of chunks) {
    if (wordDelayMs > 0) await delay(wordDelayMs, undefined, { signal: gone.signal });
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  response.end("data: [DONE]\n\n");
}
