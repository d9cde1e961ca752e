import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import type { Stage } from "./stage.ts";

/** One request of the program to the model; nothing is sent before the test says so. */
export interface ModelCall {
  /** The last thing a person said in it. */
  readonly asked: string;
  write(text: string): void;
  /** Ends the reply. */
  end(): void;
  /** Replies with one call of a tool and nothing else. */
  callTool(name: string, args: object): void;
  /** Replies with several calls and nothing else. */
  callTools(calls: readonly (readonly [name: string, args: object])[]): void;
  /** Refuses the request. */
  fail(status: number, message: string): void;
}

/** A model that streams what the test tells it, when the test tells it. */
export interface GatedModel {
  /** For `AI_URL`. */
  readonly url: string;
  /** The next request, in order; waits for it. */
  nextCall(): Promise<ModelCall>;
}

const requestSchema = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.string().nullish() })),
});

/** Starts the model. */
export async function startGatedModel(stage: Stage): Promise<GatedModel> {
  const calls: ModelCall[] = [];
  const waiting: ((call: ModelCall) => void)[] = [];
  const server = createServer((request, response) => {
    void readCall(request, response).then((call) => {
      const taker = waiting.shift();
      if (taker === undefined) calls.push(call);
      else taker(call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stage.until(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    nextCall() {
      const call = calls.shift();
      return call === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(call);
    },
  };
}

async function readCall(request: IncomingMessage, response: ServerResponse): Promise<ModelCall> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece as Uint8Array));
  const { messages } = requestSchema.parse(JSON.parse(Buffer.concat(pieces).toString("utf8")));
  const send = (delta: object, reason: "stop" | "tool_calls" | null) => {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`);
  };
  const callTools: ModelCall["callTools"] = (calls) => {
    const list = calls.map(([name, args], index) => ({
      index,
      id: `call_${index + 1}`,
      type: "function",
      function: { name, arguments: JSON.stringify(args) },
    }));
    send({ role: "assistant", tool_calls: list }, null);
    send({}, "tool_calls");
    response.end("data: [DONE]\n\n");
  };
  return {
    asked: messages.findLast((message) => message.role === "user")?.content ?? "",
    write: (content) => send({ role: "assistant", content }, null),
    end() {
      send({}, "stop");
      response.end("data: [DONE]\n\n");
    },
    callTool: (name, args) => callTools([[name, args]]),
    callTools,
    fail(status, message) {
      const error = { message, type: "invalid_request_error", param: null, code: null };
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }));
    },
  };
}

const CHUNK = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "gated" };
