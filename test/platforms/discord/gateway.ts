import { GatewayDispatchEvents as Dispatch, GatewayIntentBits as Intents, GatewayOpcodes as Op } from "discord.js";
import { randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { z } from "zod";
import { isThread, wireChannel, wireUser, type State } from "./state.ts";

interface Session {
  readonly id: string;
  readonly intents: number;
  readonly events: { readonly s: number; readonly t: string; readonly d: object }[];
  seq: number;
  socket: WebSocket | undefined;
}

const frameSchema = z.discriminatedUnion("op", [
  z.object({ op: z.literal(Op.Heartbeat), d: z.number().nullable() }),
  z.object({ op: z.literal(Op.Identify), d: z.object({ token: z.string(), intents: z.number() }) }),
  z.object({ op: z.literal(Op.Resume), d: z.object({ token: z.string(), session_id: z.string(), seq: z.number() }) }),
  z.object({ op: z.literal(Op.PresenceUpdate), d: z.unknown() }),
]);

/** Discord's gateway: sessions with numbered events, which are offered again when a client resumes. */
export interface GatewayServer {
  /** Sends an event to every session. */
  dispatch(event: Dispatch, data: object): void;
  /** Cuts every connection; the sessions live on. */
  cut(): void;
  /** Forgets every session: clients have to begin anew. */
  forgetSessions(): void;
  /** Closes every connection with one of Discord's codes. */
  closeAll(code: number): void;
  /** Events that are sent to a new session before its servers are shown. */
  readonly early: { readonly event: Dispatch; readonly data: object }[];
  /** Stops answering heartbeats: a connection that looks alive and is not. */
  playDead(): void;
  /** Connections that have begun a session. */
  connected(): number;
  /** How often a session began, and how often one went on. */
  readonly begun: { identified: number; resumed: number };
  close(): void;
}

/** Puts the gateway on an HTTP server. */
export function createGateway(
  server: Server,
  state: State,
  { url, heartbeatMs }: { readonly url: () => string; readonly heartbeatMs: () => number },
): GatewayServer {
  const sockets = new WebSocketServer({ server, path: "/gateway" });
  const sessions = new Map<string, Session>();
  const begun = { identified: 0, resumed: 0 };
  const early: { event: Dispatch; data: object }[] = [];
  let dead = false;

  sockets.on("connection", (socket) => {
    let session: Session | undefined;
    dead = false;
    send(socket, { op: Op.Hello, d: { heartbeat_interval: heartbeatMs() } });
    socket.on("message", (data: Buffer) => {
      const frame = frameSchema.parse(JSON.parse(data.toString()));
      switch (frame.op) {
        case Op.Heartbeat:
          if (!dead) send(socket, { op: Op.HeartbeatAck });
          return;
        case Op.Identify:
          session = identify(socket, frame.d);
          return;
        case Op.Resume:
          session = resume(socket, frame.d);
          return;
        case Op.PresenceUpdate:
          return;
      }
    });
    socket.on("close", (code) => {
      if (session?.socket !== socket) return;
      session.socket = undefined;
      if (code === 1000 || code === 1001) sessions.delete(session.id);
      state.changed();
    });
    socket.on("error", () => socket.terminate());
  });

  function identify(socket: WebSocket, d: { token: string; intents: number }): Session | undefined {
    if (d.token !== state.token) return void socket.close(4004, "Authentication failed.");
    if ((d.intents & Intents.MessageContent) !== 0 && !state.messageContentAllowed)
      return void socket.close(4014, "Disallowed intent(s).");
    const session: Session = { id: randomUUID(), intents: d.intents, events: [], seq: 0, socket };
    sessions.set(session.id, session);
    begun.identified++;
    emit(session, Dispatch.Ready, {
      v: 10,
      user: wireUser(state.bot),
      guilds: [{ id: state.guildId, unavailable: true }],
      session_id: session.id,
      resume_gateway_url: url(),
      session_type: "normal",
      application: { id: state.applicationId, flags: 0 },
    });
    for (const { event, data } of early) emit(session, event, data);
    const all = [...state.channels.values()].filter(({ with: person }) => person === undefined);
    emit(session, Dispatch.GuildCreate, {
      id: state.guildId,
      name: "Test server",
      owner_id: state.bot.id,
      member_count: 3,
      joined_at: new Date(0).toISOString(),
      large: false,
      features: [],
      emojis: [],
      stickers: [],
      roles: [{ id: state.guildId, name: "@everyone", permissions: "0", position: 0, colors: {} }],
      members: [],
      presences: [],
      voice_states: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
      channels: all.filter((channel) => !isThread(channel)).map((channel) => wireChannel(state, channel)),
      threads: all.filter(isThread).map((channel) => wireChannel(state, channel)),
    });
    state.changed();
    return session;
  }

  function resume(socket: WebSocket, d: { token: string; session_id: string; seq: number }): Session | undefined {
    if (d.token !== state.token) return void socket.close(4004, "Authentication failed.");
    const session = sessions.get(d.session_id);
    if (session === undefined) return void send(socket, { op: Op.InvalidSession, d: false });
    session.socket = socket;
    begun.resumed++;
    for (const event of session.events.filter(({ s }) => s > d.seq)) send(socket, { op: Op.Dispatch, ...event });
    emit(session, Dispatch.Resumed, {});
    state.changed();
    return session;
  }

  function emit(session: Session, t: Dispatch, d: object): void {
    const event = { s: ++session.seq, t, d };
    session.events.push(event);
    if (session.socket !== undefined) send(session.socket, { op: Op.Dispatch, ...event });
  }

  return {
    begun,
    early,
    dispatch(event, data) {
      for (const session of sessions.values()) if (isMeant(session, event, data)) emit(session, event, data);
    },
    cut() {
      for (const socket of sockets.clients) socket.terminate();
    },
    forgetSessions: () => sessions.clear(),
    closeAll(code) {
      for (const socket of sockets.clients) socket.close(code);
    },
    playDead() {
      dead = true;
    },
    connected: () => [...sessions.values()].filter(({ socket }) => socket !== undefined).length,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

/** Whether a session has asked for an event by its intents. */
function isMeant({ intents }: Session, event: Dispatch, data: object): boolean {
  if (!event.startsWith("MESSAGE_")) return true;
  return (intents & ("guild_id" in data ? Intents.GuildMessages : Intents.DirectMessages)) !== 0;
}

function send(socket: WebSocket, frame: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ s: null, t: null, ...frame }));
}
