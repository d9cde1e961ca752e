import { createConnection } from "node:net";
import { within } from "./load.ts";
import type { RecordedCommand } from "./monitor.ts";

/**
 * Turns a recording into one pipeline. A blocking pop becomes a plain one: it would block the whole pipeline, and the
 * server's work is the same.
 */
export function encodeReplay(commands: readonly RecordedCommand[]): Buffer {
  return Buffer.concat([...commands.map(plainPop).map(encode), encode(END)]);
}

const REPLAY_MS = 60_000;
const MARK = "bench-replay-ends";
const END: RecordedCommand = { name: "echo", args: [Buffer.from(MARK)] };

/** Writes the pipeline as fast as the server reads and waits for the last reply; seconds it took. */
export async function replay(socketPath: string, pipeline: Buffer): Promise<number> {
  const socket = createConnection({ path: socketPath });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", () => resolve());
      socket.once("error", reject);
    });
    const ended = new Promise<void>((resolve) => {
      let tail = "";
      socket.on("data", (chunk) => {
        tail = (tail + chunk.toString("latin1")).slice(-MARK.length - 2);
        if (tail === `${MARK}\r\n`) resolve();
      });
    });
    const startedAt = performance.now();
    socket.write(pipeline);
    await within(REPLAY_MS, "the end of a replay", ended);
    return (performance.now() - startedAt) / 1000;
  } finally {
    socket.destroy();
  }
}

function plainPop(command: RecordedCommand): RecordedCommand {
  if (command.name !== "blpop") return command;
  return { name: "lpop", args: command.args.slice(0, 1) };
}

function encode({ name, args }: RecordedCommand): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`)];
  for (const arg of args) parts.push(Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from("\r\n"));
  return Buffer.concat(parts);
}
