import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import { z } from "zod";

const partSchema = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("image_url"), image_url: z.object({ url: z.string() }) }),
]);

/** The words of a message; its images are in `raw`. */
function textOfContent(content: string | readonly z.infer<typeof partSchema>[] | null | undefined) {
  if (typeof content === "string" || content === null || content === undefined) return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

const requestSchema = z.object({
  messages: z.array(
    z.object({
      role: z.string(),
      content: z
        .union([z.string(), z.array(partSchema)])
        .nullish()
        .transform(textOfContent),
      name: z.string().optional(),
      tool_call_id: z.string().optional(),
      tool_calls: z
        .array(z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }))
        .optional(),
    }),
  ),
  tools: z.array(z.object({ function: z.object({ name: z.string() }) })).optional(),
});

/** A request as the model received it. */
export interface Asked extends z.infer<typeof requestSchema> {
  /** The request's body as it came over the wire. */
  readonly raw: string;
  readonly headers: IncomingMessage["headers"];
  readonly at: number;
}

/** One turn of the scripted model. */
export type Reply = (response: ServerResponse, asked: Asked) => void | Promise<void>;

export interface WireCall {
  readonly name: string;
  readonly args?: unknown;
  readonly id?: string;
}

/**
 * An OpenAI-compatible model on loopback that does what the test says. What it answers is chosen by a word in the newest
 * message of a person; a word's replies are used up in order.
 */
export async function startModelServer() {
  const scripts = new Map<string, Reply[]>();
  const requests: Asked[] = [];
  const summaries: Asked[] = [];
  let summarise: Reply = refuse(400, { error: { message: "no summary is scripted" } });
  let otherwise: Reply | undefined;
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    void serve(request, response);
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readText(request);
    const asked: Asked = {
      ...requestSchema.parse(JSON.parse(raw)),
      raw,
      headers: request.headers,
      at: performance.now(),
    };
    const forSummary = asked.headers["x-parley-purpose"] === "summary";
    (forSummary ? summaries : requests).push(asked);
    for (const look of waiting) look();
    if (forSummary) return void (await summarise(response, asked));
    const said = newestOf(asked.messages);
    const word = [...scripts.keys()].findLast((key) => said.includes(key));
    const reply = word === undefined ? undefined : scripts.get(word)?.shift();
    await (reply ?? otherwise ?? refuse(400, { error: { message: `nothing is scripted for ${said.slice(0, 60)}` } }))(
      response,
      asked,
    );
  }

  /** Requests whose newest message of a person holds `word`. */
  function about(word: string): Asked[] {
    return requests.filter(({ messages }) => newestOf(messages).includes(word));
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    /** Everything the model was asked in conversations, oldest first. */
    requests,
    /** What it answers where nothing is scripted. */
    otherwise(reply: Reply): void {
      otherwise = reply;
    },
    /** Everything it was asked to summarise, oldest first. */
    summaries,
    /** What it answers to every request for a summary from now on; until then it refuses them. */
    onSummary(reply: Reply): void {
      summarise = reply;
    },
    /** What the model answers, one after the other, to requests whose newest message of a person holds `word`. */
    when(word: string, ...replies: readonly Reply[]): void {
      scripts.set(word, [...(scripts.get(word) ?? []), ...replies]);
    },
    about,
    /** The `number`th request about `word`, from 1; throws when there were not as many. */
    request(word: string, number = 1): Asked {
      const found = about(word)[number - 1];
      if (found === undefined) throw new Error(`the model was asked about "${word}" ${about(word).length} times`);
      return found;
    },
    /** Resolves when the model was asked about `word` for the `count`th time. */
    asked(word: string, count = 1): Promise<Asked> {
      return new Promise((resolve) => {
        const look = () => {
          const found = about(word)[count - 1];
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function newestOf(messages: Asked["messages"]): string {
  return messages.findLast((message) => message.role === "user")?.content ?? "";
}

/** A streamed text. */
export function say(text: string, finish = "stop"): Reply {
  return (response) => {
    stream(response, [{ content: text }], finish);
  };
}

/** A streamed reply with tool calls. */
export function call(...calls: readonly WireCall[]): Reply {
  return (response) => {
    const pieces = calls.map(({ name, args = {}, id = `call_${Math.random().toString(36).slice(2)}` }, index) => ({
      index,
      id,
      type: "function",
      function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
    }));
    stream(response, [{ tool_calls: pieces }], "tool_calls");
  };
}

/** An error status. */
export function refuse(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Bytes as they are, with status 200. */
export function raw(body: string): Reply {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(body);
  };
}

/** The beginning of a streamed text, then a broken connection. */
export function cut(text: string): Reply {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event({ choices: [{ index: 0, delta: { content: text } }] }), () => response.destroy());
  };
}

/** Never answers. */
export const hang: Reply = () => {};

/**
 * Holds a reply back until the test lets it go. `arrived` resolves when the model was asked, `aborted` when the caller
 * gave up first.
 */
export function hold(then: Reply) {
  const arrived = Promise.withResolvers<Asked>();
  const aborted = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  return {
    arrived: arrived.promise,
    aborted: aborted.promise,
    release: () => released.resolve(),
    reply: (async (response, asked) => {
      arrived.resolve(asked);
      response.once("close", () => aborted.resolve());
      await released.promise;
      await then(response, asked);
    }) satisfies Reply,
  };
}

function stream(response: ServerResponse, deltas: readonly object[], finish: string): void {
  // Whoever was asked may be gone by now.
  if (response.destroyed) return;
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const delta of deltas) response.write(event({ choices: [{ index: 0, delta }] }));
  response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }));
  response.end(`${event({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 5 } })}data: [DONE]\n\n`);
}

function event(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
