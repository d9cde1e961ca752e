import { Client, ProtocolError, SdkHttpError, type Transport } from "@modelcontextprotocol/client";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import { VERSION } from "../../kernel/version.ts";
import type { ConnectionTarget } from "./connection-target.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { ReadList, Session, WireCall } from "./session.ts";
import { CUT_OFF, toSessionFailure } from "./session-failure.ts";
import { logStderr } from "./stderr-log.ts";
import { createStdioTransport, type StdioTransport } from "./stdio-transport.ts";

/** What a connection is opened with. */
export interface SessionOptions {
  readonly log: Log;
  readonly connectMs: number;
  readonly callMs: number;
  readonly maxMessageBytes: number;
  /** Called when the server says that its tools changed. Must not throw. */
  readonly onToolsChanged: () => void;
}

/**
 * Connects to a server: starts it when it is a program, and agrees on a version of the protocol. When this fails nothing
 * is left of it. Throws `SessionFailure`, or `OutsideError` for an address that may not be reached.
 */
export async function openSession(
  target: ConnectionTarget,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session> {
  try {
    return await connect(target, options, signal, "handshake");
  } catch (error) {
    // Servers that know only the newer protocol refuse the older handshake; all others understand it, and some end
    // themselves when they are asked anything else first.
    if (signal.aborted || !refusedHandshake(error)) throw toSessionFailure(error);
  }
  try {
    return await connect(target, options, signal, "discovery");
  } catch (error) {
    throw toSessionFailure(error);
  }
}

function refusedHandshake(error: unknown): boolean {
  if (error instanceof ProtocolError) return true;
  return error instanceof SdkHttpError && [400, 404, 405, 406, 415, 422].includes(error.status ?? 0);
}

async function connect(
  target: ConnectionTarget,
  options: SessionOptions,
  signal: AbortSignal,
  way: "handshake" | "discovery",
): Promise<Session> {
  const { log, connectMs } = options;
  let pid: number | undefined;
  const transport =
    target.kind === "http"
      ? createHttpTransport(target, { maxMessageBytes: options.maxMessageBytes, requestMs: options.callMs + 10_000 })
      : createStdioTransport(target.program, outputLimits(options.maxMessageBytes), (child) => {
          pid = child.pid;
          logStderr(child.stderr, log);
        });
  const client = new Client(
    { name: "parley", title: "Parley", version: VERSION },
    {
      capabilities: {},
      versionNegotiation: { mode: "auto" },
      listChanged: { tools: { autoRefresh: false, debounceMs: 200, onChanged: () => options.onToolsChanged() } },
    },
  );
  const ended = Promise.withResolvers<string>();
  Object.assign(client, {
    onerror: (error: Error) => log.debug({ error: loggable(error) }, "an MCP connection has trouble"),
    onclose: () => ended.resolve(endOf(transport) ?? "the connection was closed"),
  } satisfies Partial<Client>);
  // A start that hangs or is given up must not leave a process or a connection behind.
  const giveUp = () => void transport.close();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    const prior = way === "handshake" ? { prior: { kind: "legacy" as const } } : {};
    await client.connect(transport, { ...prior, timeout: connectMs, signal });
  } catch (error) {
    const why = endOf(transport);
    await transport.close();
    if (signal.aborted) throw signal.reason;
    throw refusedHandshake(error) ? error : toSessionFailure(error, why);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  return createSession(client, transport, ended.promise, pid);
}

// The body of an answer may repeat what was sent, tokens included.
function loggable(error: Error): string {
  return error instanceof SdkHttpError ? `HTTP ${error.status}` : describeError(error).slice(0, 300);
}

function outputLimits(maxMessageBytes: number) {
  return { maxMessageBytes, maxBytesPerMinute: 32 * maxMessageBytes, maxMessagesPerMinute: 50_000 };
}

/** Why the connection ended, where that is known. */
function endOf(transport: Transport | StdioTransport): string | undefined {
  return "reason" in transport ? transport.reason() : undefined;
}

function createSession(client: Client, transport: Transport, ended: Promise<string>, pid: number | undefined): Session {
  return {
    pid,
    ended,
    listTools: (timeoutMs) => translated(transport, () => readTools(client, timeoutMs)),
    callTool: ({ tool, args, idempotencyKey, signal, timeoutMs }: WireCall) => {
      // Without its output schema: results are data for the model, and a server's patterns are not run in here.
      const { outputSchema: _schema, ...toolDefinition } = tool;
      return translated(transport, () =>
        client.callTool(
          { name: tool.name, arguments: args, _meta: { "parley/idempotency-key": idempotencyKey } },
          { signal, timeout: timeoutMs, toolDefinition },
        ),
      );
    },
    isAlive: async (timeoutMs) => {
      try {
        await (client.getProtocolEra() === "modern"
          ? client.discover({ timeout: timeoutMs })
          : client.ping({ timeout: timeoutMs }));
        return true;
      } catch (error) {
        // A refusal is an answer.
        return error instanceof ProtocolError && error.code !== CUT_OFF;
      }
    },
    close: () => transport.close(),
  };
}

async function translated<T>(transport: Transport, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toSessionFailure(error, endOf(transport));
  }
}

const MAX_PAGES = 20;
const MAX_DEFINITIONS = 500;

async function readTools(client: Client, timeoutMs: number): Promise<ReadList> {
  if (client.getServerCapabilities()?.tools === undefined) return { definitions: [], more: false };
  const definitions: ReadList["definitions"][number][] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES && definitions.length < MAX_DEFINITIONS; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const { tools, nextCursor } = await client.request({ method: "tools/list", params }, { timeout: timeoutMs });
    definitions.push(...tools);
    cursor = nextCursor;
    if (cursor === undefined) return { definitions, more: false };
  }
  return { definitions, more: true };
}
