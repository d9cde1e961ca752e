import { rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";

/** A command on its way to Redis: its name and arguments as text. */
export type Command = readonly string[];

/** What happens with a command: it passes, or the process that sent it dies before or after Redis has done it. */
export type Verdict = "pass" | "die-before" | "die-after";

/**
 * A Redis address that looks at every command before it passes it on. On a deadly verdict `kill` is called, and nothing
 * of that process reaches Redis any more; with `die-after` Redis has done the command and nobody heard the reply.
 */
export async function startWatchingProxy(options: {
  readonly listenAt: string;
  readonly redisAt: string;
  readonly judge: (command: Command) => Verdict;
  readonly kill: () => void;
}): Promise<{ stop(): Promise<void> }> {
  rmSync(options.listenAt, { force: true });
  const sockets = new Set<Socket>();
  let dead = false;
  const server = createServer((client) => {
    const redis = createConnection(options.redisAt);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        redis.destroy();
      });
    }
    redis.on("data", (reply) => {
      if (!dead) client.write(reply);
    });
    let rest: Buffer = Buffer.alloc(0);
    client.on("data", (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (;;) {
        const parsed = parseCommand(rest);
        if (parsed === undefined || dead) return;
        const raw = rest.subarray(0, parsed.length);
        rest = rest.subarray(parsed.length);
        const verdict = options.judge(parsed.command);
        if (verdict === "pass") {
          redis.write(raw);
          continue;
        }
        dead = true;
        if (verdict === "die-before") options.kill();
        else {
          // The reply is the proof that Redis has done it; it goes nowhere.
          redis.once("data", options.kill);
          redis.write(raw);
        }
        return;
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(options.listenAt, resolve));
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Reads one command of the Redis protocol: `*<n>` and n bulk strings. Undefined when it is not complete yet. */
function parseCommand(bytes: Buffer): { readonly command: string[]; readonly length: number } | undefined {
  let at = 0;
  const line = (): string | undefined => {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return undefined;
    const text = bytes.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  const count = line();
  if (count === undefined) return undefined;
  const command: string[] = [];
  for (let index = 0; index < Number(count.slice(1)); index++) {
    const size = line();
    if (size === undefined) return undefined;
    const end = at + Number(size.slice(1));
    if (bytes.length < end + 2) return undefined;
    command.push(bytes.toString("utf8", at, end));
    at = end + 2;
  }
  return { command, length: at };
}
