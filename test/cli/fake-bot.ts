import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import type { ShownLiveEvent } from "../../src/api/contract.ts";

/** One request as it arrived. */
interface Seen {
  readonly route: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answer = (request: Seen, response: ServerResponse) => void;

/** The wire of a bot, for what a real one does only when something breaks: every answer is set by the test. */
export async function fakeBot() {
  const seen: Seen[] = [];
  const answers = new Map<string, Answer[]>();
  const streams: ServerResponse[] = [];
  let arrived = Promise.withResolvers<void>();

  const server = createServer((request, response) => {
    void receive(request, response);
  });
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://bot").pathname);
    const entry = { route: `${request.method} ${path}`, headers: request.headers, body: await text(request) };
    seen.push(entry);
    const set = answers.get(entry.route);
    // The last answer that was set goes on.
    const answer = (set !== undefined && set.length > 1 ? set.shift() : set?.[0]) ?? usual(entry.route);
    answer(entry, response);
    arrived.resolve();
    arrived = Promise.withResolvers();
  }

  function usual(route: string): Answer {
    if (route === "GET /healthz") return json(200, { status: "ok" });
    if (route === `POST /v1/messages`)
      return ({ body }, response) => {
        const { message_id: id, conversation_id } = JSON.parse(body) as Record<string, string>;
        json(202, { id, conversation_id, status: "started", position: 0 })({ route, headers: {}, body }, response);
      };
    if (route.endsWith("/events"))
      return (_, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\nretry: 1000\n\n");
        streams.push(response);
      };
    return failure(404, "not_found", "There is no such thing");
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;

  /** Resolves with the requests of this route as soon as there are that many. */
  async function requests(route: string, count = 1): Promise<Seen[]> {
    for (;;) {
      const found = seen.filter((entry) => entry.route === route);
      if (found.length >= count) return found;
      await arrived.promise;
    }
  }

  return {
    url,
    requests,
    /** Answers the next requests of a route with these, and all later ones with the last. */
    answer: (route: string, ...how: Answer[]) => void answers.set(route, how),
    /** The stream that was opened as the `count`th. */
    async stream(count: number) {
      for (;;) {
        const response = streams[count - 1];
        if (response !== undefined)
          return {
            send: (...events: ShownLiveEvent[]) => {
              for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
            },
            sendRaw: (raw: string) => void response.write(raw),
            cut: () => void response.destroy(),
          };
        await arrived.promise;
      }
    },
  };
}

/** An answer as JSON. */
export function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

/** A failure as the API describes it. */
export function failure(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  return json(status, { error: { code, message } }, headers);
}

/** The connection breaks instead of an answer. */
export const broken: Answer = (_, response) => void response.destroy();

const at = "2026-01-01T00:00:00.000Z";

/** A delivery as an event. */
export function delivery(
  id: string,
  text: string,
  options: { answers?: string[]; kind?: "answer" | "question" | "error" | "notice"; choices?: string[] } = {},
): ShownLiveEvent {
  const { answers = [], kind = "answer", choices } = options;
  return { type: "delivery", delivery: { id, kind, text, answers, at, ...(choices === undefined ? {} : { choices }) } };
}

/** A page of the transcript. */
export function transcript(
  ...messages: {
    id: string;
    role: "user" | "assistant";
    text: string;
    run?: string;
    kind?: "answer" | "question";
    choices?: string[];
  }[]
): Answer {
  const data = messages.map(({ run = "r1", ...message }) => ({ ...message, at, run_id: run }));
  return json(200, { data, has_more: false, next_cursor: null });
}

/** Where a message is. */
export function messageStatus(id: string, status: string, answers: { delivery: string; text: string }[] = []): Answer {
  return json(200, {
    id,
    conversation_id: "c",
    status,
    position: null,
    run_id: "r1",
    steps: 1,
    answers: answers.map((answer) => ({
      delivery_id: answer.delivery,
      text: answer.text,
      posted_id: answer.delivery,
      delivered_at: at,
    })),
    error: null,
  });
}

/** What the conversation is doing. */
export function conversation(state: "idle" | "running" | "waiting", run: string | null = null): Answer {
  return json(200, {
    id: "c",
    platform: "api",
    user_id: "u",
    last_activity_at: at,
    state,
    run_id: run,
    queue_mode: "queue",
    waiting: [],
  });
}
