import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";

/** A call of a tool in the outside world, as the world saw it. */
export interface SeenEffect {
  readonly tool: string;
  readonly key: string;
  readonly message: string;
}

/** What happens outside of Parley in a crash test: a model that follows the message's own script, and a world that counts. */
export interface OutsideWorld {
  /** The base for `AI_URL`. */
  readonly modelUrl: string;
  readonly effectUrl: string;
  readonly effects: readonly SeenEffect[];
  readonly modelCalls: () => number;
  /** Called before each request is answered; may hold it or kill who asked. */
  onRequest: (path: string) => Promise<void> | void;
  stop(): Promise<void>;
}

const requestSchema = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.string().nullish() })),
});
const effectSchema = z.object({ tool: z.string(), key: z.string(), message: z.string() });

/**
 * Starts it. A message such as `m17 look put pay` makes the model call those tools one after the other and then answer
 * `done m17: look put pay`. It decides from the transcript alone, so a repeated call gives the same reply.
 */
export async function startOutsideWorld(latencyMs: () => number): Promise<OutsideWorld> {
  const effects: SeenEffect[] = [];
  let modelCalls = 0;
  const world = { onRequest: (_path: string): Promise<void> | void => undefined };

  const server = createServer((request, response) => {
    void respond(request, response).catch(() => response.destroy());
  });
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: unknown = JSON.parse(await readBody(request));
    if (request.url === "/effect") {
      effects.push(effectSchema.parse(body));
      await world.onRequest("/effect");
      response.end("{}");
      return;
    }
    modelCalls++;
    await world.onRequest("/model");
    setTimeout(() => streamReply(response, decide(body)), latencyMs());
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    modelUrl: `${base}/v1`,
    effectUrl: `${base}/effect`,
    effects,
    modelCalls: () => modelCalls,
    get onRequest() {
      return world.onRequest;
    },
    set onRequest(handler) {
      world.onRequest = handler;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Reply = { readonly text: string } | { readonly tool: string; readonly id: string; readonly args: string };

function decide(body: unknown): Reply {
  const { messages } = requestSchema.parse(body);
  const last = messages.findLastIndex((message) => message.role === "user");
  const [name = "", ...tools] = (messages[last]?.content ?? "").split(" ");
  const done = messages.slice(last).filter((message) => message.role === "tool").length;
  const tool = tools[done];
  if (tool === undefined) return { text: `done ${name}: ${tools.join(" ")}` };
  return { tool, id: `call_${name}_${done}`, args: JSON.stringify({ message: name }) };
}

function streamReply(response: ServerResponse, reply: Reply): void {
  const delta =
    "text" in reply
      ? { content: reply.text }
      : {
          tool_calls: [
            { index: 0, id: reply.id, type: "function", function: { name: reply.tool, arguments: reply.args } },
          ],
        };
  const chunk = (fields: object) =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "scripted", ...fields })}\n\n`;
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(chunk({ choices: [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason: null }] }));
  response.write(chunk({ choices: [{ index: 0, delta: {}, finish_reason: "text" in reply ? "stop" : "tool_calls" }] }));
  response.write(chunk({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }));
  response.end("data: [DONE]\n\n");
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
