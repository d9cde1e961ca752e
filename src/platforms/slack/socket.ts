import { SocketModeClient } from "@slack/socket-mode";
import type { webApi } from "@slack/bolt";
import { z } from "zod";
import { OutsideError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/json.ts";
import type { Log } from "../../kernel/ports.ts";
import { pause, unlessAborted } from "./aborting.ts";
import { outsideError } from "./errors.ts";
import { libraryLog } from "./library-log.ts";
import type { Deliver } from "./router.ts";

/** A connection that Slack brings events by. */
export interface Socket {
  /** Resolves, with the reason, when no more events come by it. */
  readonly ended: Promise<string>;
  /** Waits a moment for what is being taken, then closes. */
  close(): Promise<void>;
}

export interface SocketOptions {
  readonly appToken: string;
  readonly client: webApi.WebClientOptions;
  /** Without a sign of life for this long a connection counts as dead. */
  readonly silenceMs: number;
}

const CONNECT_MS = 20_000;
const CLOSE_MS = 2_000;

const bodySchema = z.record(z.string(), z.unknown());
const arrivedSchema = z.object({ body: bodySchema, ack: z.custom<(answer?: unknown) => Promise<void>>() });

/**
 * Opens one Socket Mode connection. What comes is acknowledged when `deliver` resolved; it never reconnects: the client's
 * own reconnecting ends the process by an unhandled rejection when Slack cannot be reached.
 */
export async function openSocket(
  options: SocketOptions,
  { deliver, heard, log, signal }: { deliver: Deliver; heard: () => void; log: Log; signal: AbortSignal },
): Promise<Socket> {
  const ended = Promise.withResolvers<string>();
  const taking = new Set<Promise<void>>();
  const client = new SocketModeClient({
    appToken: options.appToken,
    autoReconnectEnabled: false,
    clientPingTimeout: options.silenceMs,
    clientOptions: options.client,
    logger: libraryLog(log),
  });

  client.on("slack_event", (arrived: unknown) => {
    heard();
    const read = arrivedSchema.safeParse(arrived).data;
    if (read === undefined) return;
    const taken = take(read).finally(() => taking.delete(taken));
    taking.add(taken);
  });
  client.on("ws_message", (data: unknown) => {
    const message = typeof data === "string" ? parseJson(data) : undefined;
    const asked = z.object({ type: z.literal("disconnect"), reason: z.string().default("") }).safeParse(message).data;
    if (asked !== undefined) ended.resolve(`Slack asked to connect anew (${asked.reason})`);
  });
  client.on("close", () => {
    ended.resolve("the connection was closed");
  });

  async function take({ body, ack }: z.infer<typeof arrivedSchema>): Promise<void> {
    try {
      await ack(await deliver(body));
    } catch {
      // Not kept, or kept and the connection gone: Slack brings it again, and what was kept is known then.
    }
  }

  async function close(): Promise<void> {
    await Promise.race([Promise.all(taking), pause(CLOSE_MS)]);
    const gone = client.disconnect();
    await Promise.race([gone, pause(CLOSE_MS)]);
    // A peer that does not answer the closing is left: the library would wait half a minute for it.
    if (client.websocket?.readyState !== undefined) client.websocket.disconnect();
  }

  const late = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
  try {
    await unlessAborted(client.start(), late, "Slack did not open a connection in time");
  } catch (error) {
    await close();
    throw connectError(error);
  }
  return { ended: ended.promise, close };
}

function connectError(error: unknown): OutsideError {
  const outside = outsideError(error ?? new Error("closed"), { method: "apps.connections.open" });
  if (outside.code !== "unauthorized" && outside.code !== "forbidden") return outside;
  return new OutsideError(
    "Slack does not take the app token for Socket Mode: check SLACK_APP_TOKEN (Basic Information, App-Level Tokens, scope connections:write) and that Socket Mode is on",
    { code: outside.code, cause: error },
  );
}
