import { createConnection } from "node:net";
import { within } from "./load.ts";

/** One command as a client sent it. */
export interface RecordedCommand {
  /** Its name in small letters. */
  readonly name: string;
  readonly args: readonly Buffer[];
}

/**
 * Records every command that clients send until `stop`, in the order in which the server took them. What scripts do
 * inside is left out, and so is what only concerns a connection. Slows the server: never record while measuring.
 */
export async function recordCommands(socketPath: string): Promise<{ stop(): Promise<readonly RecordedCommand[]> }> {
  const socket = createConnection({ path: socketPath });
  const chunks: Buffer[] = [];
  let onChunk: () => void = () => undefined;
  socket.on("data", (chunk) => {
    chunks.push(chunk);
    onChunk();
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    onChunk = resolve;
    socket.write("MONITOR\r\n");
  });
  return {
    async stop() {
      // QUIT is answered after everything that was recorded before it.
      socket.write("QUIT\r\n");
      await within(10_000, "the end of the recording", closed);
      return Buffer.concat(chunks).toString("latin1").split("\r\n").flatMap(readLine);
    },
  };
}

function readLine(line: string): RecordedCommand[] {
  const command = parseMonitorLine(line);
  return command === undefined || CONNECTION_COMMANDS.has(command.name) ? [] : [command];
}

const CONNECTION_COMMANDS = new Set(
  "auth client config echo flushall hello info monitor ping quit select subscribe unsubscribe".split(" "),
);

/** Reads one line of MONITOR, given as latin1; undefined for commands inside scripts and for anything else. */
export function parseMonitorLine(line: string): RecordedCommand | undefined {
  const head = /^\+\d+\.\d+ \[\d+ ([^\]]*)\] /.exec(line);
  if (head === null || head[1] === "lua") return undefined;
  const texts = [...line.slice(head[0].length).matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, text]) =>
    unescape(text ?? ""),
  );
  const [name, ...args] = texts;
  if (name === undefined) return undefined;
  return { name: name.toLowerCase(), args: args.map((arg) => Buffer.from(arg, "latin1")) };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", a: "\x07", b: "\b" };

function unescape(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/gs, (_all, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
