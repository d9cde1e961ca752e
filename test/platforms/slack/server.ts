import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BOT_SCOPES } from "../../../src/platforms/slack/methods.ts";
import type { Fault } from "../world.ts";
import { type ApiRules, type Args, callMethod, publicMessage } from "./web-api.ts";
import { acceptWebSocket, type ServerSocket } from "./websocket.ts";
import { APP, BOT, type KeptMessage, TEAM, Workspace } from "./workspace.ts";

/** Something Slack sends and wants acknowledged. */
export interface Envelope {
  readonly id: string;
  readonly type: "events_api" | "slash_commands" | "interactive";
  readonly payload: Readonly<Record<string, unknown>>;
  /** The message it is about. */
  readonly about: string;
  tries: number;
  readonly answered: Promise<Record<string, unknown>>;
  readonly answer: (payload: Record<string, unknown>) => void;
}

/** A call that arrived, for tests that look at what was sent. */
export interface Call {
  readonly method: string;
  readonly args: Args;
  readonly status: number;
}

/** How long Slack waits for an acknowledgement before it brings something again; three seconds in earnest. */
const RETRY_MS = 400;

/** Methods that a fault stands before: those that post something. */
const POSTING = new Set(["chat.postMessage", "files.completeUploadExternal"]);

export type SlackServer = Awaited<ReturnType<typeof startSlackServer>>;

/** Starts a server that behaves like Slack's: its Web API, Socket Mode and files, on 127.0.0.1. */
export async function startSlackServer() {
  const space = new Workspace();
  const sockets = new Set<ServerSocket>();
  const pending = new Map<string, Envelope>();
  const sent: Envelope[] = [];
  const faults: Fault[] = [];
  const calls: Call[] = [];
  const bad: string[] = [];
  let base = "";
  /** Takes events in the place of Socket Mode; gives whether they were acknowledged. */
  let http: ((envelope: Envelope) => Promise<Record<string, unknown> | undefined>) | undefined;
  let muted = false;
  let limitedReads = 0;

  const rules: ApiRules = {
    botToken: "xoxb-right",
    appToken: "xapp-right",
    scopes: BOT_SCOPES,
    refuseAll: undefined,
    unknown: new Set(),
    triggers: new Set(),
    views: [],
    statuses: [],
    titles: new Map(),
    prompts: new Map(),
    url: () => base,
    told: (what, message, before) => {
      if (what === "posted") tellPosted(message);
      if (what === "changed") tellChanged(message, before ?? message);
    },
  };

  const server = createServer((request, response) => {
    void handle(request, response);
  });
  server.on("upgrade", (request, stream) => {
    const socket: ServerSocket = acceptWebSocket(request, stream, {
      onText: acknowledge,
      onEnd: () => {
        sockets.delete(socket);
        space.changed();
      },
    });
    sockets.add(socket);
    socket.send(
      JSON.stringify({
        type: "hello",
        num_connections: sockets.size,
        debug_info: { host: "applink-1", approximate_connection_time: 18_060 },
        connection_info: { app_id: APP },
      }),
    );
    for (const envelope of pending.values()) push(envelope);
    space.changed();
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const retry = setInterval(() => {
    for (const envelope of pending.values()) push(envelope);
  }, RETRY_MS);

  function acknowledge(text: string): void {
    const { envelope_id: id, payload = {} } = JSON.parse(text) as { envelope_id: string; payload?: never };
    const envelope = pending.get(id);
    if (envelope === undefined) return;
    pending.delete(id);
    envelope.answer(payload);
    space.changed();
  }

  function push(envelope: Envelope): void {
    if (muted) return;
    if (http !== undefined) {
      envelope.tries += 1;
      void http(envelope).then((answer) => {
        if (answer === undefined || !pending.delete(envelope.id)) return;
        envelope.answer(answer);
        space.changed();
      });
      return;
    }
    const socket = [...sockets].at(-1);
    if (socket === undefined) return;
    const retried = envelope.tries++;
    socket.send(
      JSON.stringify({
        envelope_id: envelope.id,
        type: envelope.type,
        payload: envelope.payload,
        accepts_response_payload: envelope.type !== "events_api",
        ...(envelope.type === "events_api"
          ? { retry_attempt: retried, retry_reason: retried === 0 ? "" : "timeout" }
          : {}),
      }),
    );
  }

  function bring(type: Envelope["type"], payload: Envelope["payload"], about: string): Envelope {
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
    const id = randomBytes(12).toString("hex");
    const envelope = { id, type, payload, about, tries: 0, answered: promise, answer: resolve };
    sent.push(envelope);
    if (!muted) pending.set(envelope.id, envelope);
    push(envelope);
    return envelope;
  }

  function event(event: Readonly<Record<string, unknown>>, about: string): Envelope {
    return bring(
      "events_api",
      {
        token: "verification",
        team_id: TEAM,
        api_app_id: APP,
        event,
        type: "event_callback",
        event_id: space.newId("Ev"),
        event_time: Math.floor(Date.now() / 1_000),
        authorizations: [
          { enterprise_id: null, team_id: TEAM, user_id: BOT.id, is_bot: true, is_enterprise_install: false },
        ],
        is_ext_shared_channel: false,
      },
      about,
    );
  }

  const kindOf = (channel: string) => (space.channels.get(channel)?.direct === true ? "im" : "channel");
  const eventOf = (message: KeptMessage) => ({
    ...publicMessage(message, rules, true),
    type: "message",
    channel: message.channel,
    channel_type: kindOf(message.channel),
    event_ts: message.ts,
  });

  /** Tells the app of a message as Slack does: a mention in a channel comes as two events. */
  function tellPosted(message: KeptMessage): void {
    if (space.channels.get(message.channel)?.botIsMember !== true) return;
    const { channel_type: _, subtype: __, ...mention } = eventOf(message) as Record<string, unknown>;
    if (message.text.includes(`<@${BOT.id}>`) && kindOf(message.channel) !== "im")
      event({ ...mention, type: "app_mention" }, message.ts);
    event(eventOf(message), message.ts);
  }

  function tellChanged(message: KeptMessage, before: KeptMessage): void {
    event(
      {
        type: "message",
        subtype: "message_changed",
        hidden: true,
        channel: message.channel,
        channel_type: kindOf(message.channel),
        ts: space.nextTs(),
        message: publicMessage(message, rules, true),
        previous_message: publicMessage(before, rules, true),
      },
      message.ts,
    );
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? "/", base);
    const [, root, ...path] = url.pathname.split("/");
    if (root === "upload") return upload(path[1] ?? "", body, response);
    if (root === "files-pri") return download(path, request, response);
    if (root !== "api") return answer(response, 404, "not found");
    const method = path.join("/");
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const args = Object.fromEntries(new URLSearchParams(body.toString()));
    if (method.startsWith("conversations.") && limitedReads > 0) {
      limitedReads -= 1;
      refuseBy({ kind: "rate-limited", seconds: 0 }, response);
      return;
    }
    const fault = POSTING.has(method) ? faults.shift() : undefined;
    const status = fault === undefined || fault.kind === "reply-lost" ? 200 : refuseBy(fault, response);
    calls.push({ method, args, status });
    if (status !== undefined && fault !== undefined && fault.kind !== "reply-lost") return;
    const result = callMethod(method, args, token, space, rules);
    if (!result.ok) bad.push(`${method}: ${result.error}`);
    if (fault?.kind === "reply-lost") {
      request.socket.destroy();
      return;
    }
    response.setHeader("x-oauth-scopes", token === rules.botToken ? rules.scopes.join(",") : "");
    answer(response, 200, result);
  }

  function refuseBy(fault: Fault, response: ServerResponse): number {
    switch (fault.kind) {
      case "rate-limited":
        response.setHeader("retry-after", String(fault.seconds));
        answer(response, 429, { ok: false, error: "ratelimited" });
        return 429;
      case "failing":
        answer(response, fault.status, "<html><body>The server had a problem</body></html>");
        return fault.status;
      case "unauthorized":
        answer(response, 200, { ok: false, error: "invalid_auth" });
        return 200;
      case "forbidden":
        answer(response, 200, { ok: false, error: "not_in_channel" });
        return 200;
      case "markup-refused":
        answer(response, 200, { ok: false, error: "invalid_blocks", errors: ["unsupported markup"] });
        return 200;
      case "reply-lost":
        return 200;
    }
  }

  function upload(id: string, body: Buffer, response: ServerResponse): void {
    const file = space.files.get(id);
    if (file === undefined || file.complete) return answer(response, 404, "file_not_found");
    space.files.set(id, { ...file, content: body });
    answer(response, 200, `OK - ${body.length}`);
  }

  function download([first = "", second = ""]: string[], request: IncomingMessage, response: ServerResponse): void {
    const name = first === "download" ? second : first;
    const file = space.files.get(name.slice(TEAM.length + 1));
    const allowed = request.headers.authorization === `Bearer ${rules.botToken}` && rules.scopes.includes("files:read");
    if (!allowed) {
      // As Slack does: no status tells it, but the page to log in comes in the file's place.
      response.setHeader("content-type", "text/html; charset=utf-8");
      return answer(response, 200, "<!DOCTYPE html><title>Sign in | Slack</title>");
    }
    if (file === undefined) return answer(response, 404, "not found");
    response.setHeader("content-type", file.mimeType);
    response.end(file.content);
  }

  return {
    space,
    rules,
    calls,
    faults,
    /** What the Web API refused, as `method: error`. */
    refusals: bad,
    url: base,
    apiUrl: `${base}/api/`,
    event,
    bring,
    tellPosted,
    tellChanged,
    /** Everything that was brought, whether acknowledged or not. */
    sent,
    pending,
    push,
    sockets,
    /** Events are lost while it is set, as when nobody is connected for so long that Slack gives up. */
    mute: (on: boolean) => {
      muted = on;
      if (on) pending.clear();
    },
    /** The next reads of a history are too many: they are to be tried again at once. */
    limitReads: (count: number) => {
      limitedReads = count;
    },
    useHttp: (handler: typeof http) => {
      http = handler;
    },
    close: async () => {
      clearInterval(retry);
      for (const socket of sockets) socket.cut();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  if (typeof body === "string") {
    response.end(body);
    return;
  }
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.end(JSON.stringify(body));
}
