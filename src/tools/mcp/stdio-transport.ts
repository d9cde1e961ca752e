import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { ReadBuffer, serializeMessage, type JSONRPCMessage, type Transport } from "@modelcontextprotocol/client";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import { SessionFailure } from "./session.ts";
import { lost } from "./session-failure.ts";
import { startStdioChild, type StdioChild, type StdioProgram } from "./stdio-child.ts";

/** How much a program may say. */
export interface OutputLimits {
  readonly maxMessageBytes: number;
  readonly maxBytesPerMinute: number;
  readonly maxMessagesPerMinute: number;
}

/** A transport whose program can be looked at. `stderr` and `pid` are also how the client tells it from HTTP. */
export interface StdioTransport extends Transport {
  readonly pid: number | undefined;
  readonly stderr: StdioChild["stderr"] | undefined;
  /** Why it is closed, in a few words; undefined while it is open. */
  reason(): string | undefined;
}

/**
 * Speaks with a program over its stdin and stdout, one JSON message to a line. A program that says too much is stopped.
 * `onStart` gets the program before anything is read from it.
 */
export function createStdioTransport(
  program: StdioProgram,
  limits: OutputLimits,
  onStart: (child: StdioChild) => void,
): StdioTransport {
  let child: StdioChild | undefined;
  let reason: string | undefined;
  const close = async (why?: string) => {
    reason ??= why;
    await child?.stop();
  };
  const transport: StdioTransport = {
    get pid() {
      return child?.pid;
    },
    get stderr() {
      return child?.stderr;
    },
    reason: () => reason,
    start: async () => {
      const started = startStdioChild(program);
      child = started;
      onStart(started);
      const buffer = new ReadBuffer({ maxBufferSize: limits.maxMessageBytes });
      const flood = createFloodGuard(limits);
      started.stdout.on("data", (chunk: Buffer) => {
        try {
          flood.bytes(chunk.length);
          buffer.append(chunk);
          deliverAll(buffer, flood, transport);
        } catch (error) {
          started.stdout.removeAllListeners("data").resume();
          void close(error instanceof OutsideError ? error.message : "it sent a message that is too large");
        }
      });
      void started.ended.then((how) => {
        reason ??= how;
        transport.onclose?.();
      });
      return Promise.resolve();
    },
    send: async (message) => {
      if (child === undefined || reason !== undefined) throw unsent(reason);
      try {
        await write(child.stdin, message);
      } catch (error) {
        // Most often it has just ended, and how will be known in a moment.
        await Promise.race([child.ended, delay(LAST_WORDS_MS, undefined, { ref: false })]);
        await close("it no longer listens");
        throw lost(reason ?? "it ended", error);
      }
    },
    close: () => close("it was stopped"),
  };
  return transport;
}

function deliverAll(buffer: ReadBuffer, flood: FloodGuard, transport: Transport): void {
  for (;;) {
    let message: JSONRPCMessage | null;
    try {
      message = buffer.readMessage();
    } catch (error) {
      flood.message();
      transport.onerror?.(new Error(`a line that is no JSON-RPC message: ${describeError(error).slice(0, 200)}`));
      continue;
    }
    if (message === null) return;
    flood.message();
    transport.onmessage?.(message);
  }
}

interface FloodGuard {
  bytes(count: number): void;
  message(): void;
}

const WINDOW_MS = 60_000;

// By the clock that never jumps: this measures a rate.
function createFloodGuard({ maxBytesPerMinute, maxMessagesPerMinute }: OutputLimits): FloodGuard {
  let since = performance.now();
  let seen = { bytes: 0, messages: 0 };
  const count = (more: { bytes: number; messages: number }) => {
    if (performance.now() - since > WINDOW_MS) {
      since = performance.now();
      seen = { bytes: 0, messages: 0 };
    }
    seen = { bytes: seen.bytes + more.bytes, messages: seen.messages + more.messages };
    if (seen.bytes > maxBytesPerMinute || seen.messages > maxMessagesPerMinute)
      throw new OutsideError("it said more than can be read", { code: "too-large" });
  };
  return { bytes: (bytes) => count({ bytes, messages: 0 }), message: () => count({ bytes: 0, messages: 1 }) };
}

const LAST_WORDS_MS = 500;

function write(stdin: Writable, message: JSONRPCMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(serializeMessage(message), (error) =>
      error === null || error === undefined ? resolve() : reject(error),
    );
  });
}

function unsent(reason = "it was not started"): SessionFailure {
  return new SessionFailure(reason, { code: "unavailable", outcome: "not-done", passing: true, gone: true });
}
