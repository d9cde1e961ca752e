import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A command on its way to Redis: its name in lower case, then its arguments. */
export type Command = readonly string[];

/** Stands between clients and a Redis, to cut connections at chosen moments. */
export interface RedisProxy {
  readonly socketPath: string;
  /**
   * Called for every command before it is passed on, except for those with which a client sets a connection up. When it
   * returns true, Redis does the command, but the connection breaks before any reply to it comes back.
   */
  cutWhen: (command: Command) => boolean;
  /** While true, connections break at once: nobody gets through. */
  closed: boolean;
}

/** Starts a proxy for the calling test alone; it ends with the test. */
export async function startRedisProxy(upstreamPath: string): Promise<RedisProxy> {
  const folder = mkdtempSync(join(tmpdir(), "parley-proxy-"));
  const socketPath = join(folder, "redis.sock");
  const sockets = new Set<Socket>();
  const proxy = { socketPath, cutWhen: () => false, closed: false } as RedisProxy;
  const server = createServer((client) => {
    const upstream = createConnection(upstreamPath);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("close", () => upstream.end());
    upstream.on("close", () => client.destroy());
    upstream.on("data", (bytes) => {
      if (!client.destroyed) client.write(bytes);
    });
    let rest: Buffer = Buffer.alloc(0);
    client.on("data", (bytes: Buffer) => {
      if (proxy.closed) {
        client.destroy();
        upstream.destroy();
        return;
      }
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      for (;;) {
        const end = endOfCommand(rest);
        if (end === undefined || client.destroyed) return;
        const raw = rest.subarray(0, end);
        rest = rest.subarray(end);
        const command = readCommand(raw);
        const cut = !SETTING_UP.has(command[0] ?? "") && proxy.cutWhen(command);
        upstream.write(raw);
        // Redis reads what was written before it sees the end, so the command is done; only its reply has nowhere to go.
        if (cut) client.destroy();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  return proxy;
}

const SETTING_UP: ReadonlySet<string> = new Set(["hello", "client", "info", "select", "auth"]);

/** Where the first command of the bytes ends, or undefined when it is not complete. */
function endOfCommand(bytes: Buffer): number | undefined {
  const count = readNumber(bytes, 0);
  if (count === undefined) return undefined;
  let at = count.next;
  for (let index = 0; index < count.value; index++) {
    const length = readNumber(bytes, at);
    if (length === undefined) return undefined;
    at = length.next + length.value + 2;
  }
  return at <= bytes.length ? at : undefined;
}

/** The number in a line such as `*3` or `$12`, and where the next line begins. */
function readNumber(bytes: Buffer, at: number): { readonly value: number; readonly next: number } | undefined {
  const end = bytes.indexOf("\r\n", at);
  return end < 0 ? undefined : { value: Number(bytes.toString("latin1", at + 1, end)), next: end + 2 };
}

function readCommand(raw: Buffer): Command {
  const parts: string[] = [];
  const count = readNumber(raw, 0);
  let at = count?.next ?? 0;
  for (let index = 0; index < (count?.value ?? 0); index++) {
    const length = readNumber(raw, at);
    if (length === undefined) break;
    parts.push(raw.toString("utf8", length.next, length.next + length.value));
    at = length.next + length.value + 2;
  }
  return parts.map((part, index) => (index === 0 ? part.toLowerCase() : part));
}
