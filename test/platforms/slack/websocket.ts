import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** The server's end of a WebSocket (RFC 6455): text frames, pings and closing, no extensions. */
export interface ServerSocket {
  send(text: string): void;
  /** Begins the closing as a server does. */
  close(): void;
  /** Breaks the connection without a word. */
  cut(): void;
  /** Answers no closing any longer: the other side has to do without. */
  linger(): void;
  /** Stops answering pings and reading, with the connection open. */
  freeze(): void;
}

/** Takes over an upgraded connection. `onText` and `onEnd` are called as things happen. */
export function acceptWebSocket(
  request: IncomingMessage,
  stream: Duplex,
  { onText, onEnd }: { onText: (text: string) => void; onEnd: () => void },
): ServerSocket {
  const key = `${request.headers["sec-websocket-key"] ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let buffer = Buffer.alloc(0);
  let frozen = false;
  let lingers = false;
  let ended = false;
  let parts: Buffer[] = [];

  const frame = (opcode: number, data: Buffer) => {
    if (ended || frozen) return;
    const head =
      data.length < 126
        ? Buffer.from([0x80 | opcode, data.length])
        : data.length < 65_536
          ? Buffer.from([0x80 | opcode, 126, data.length >> 8, data.length & 255])
          : Buffer.concat([Buffer.from([0x80 | opcode, 127]), lengthOf(data)]);
    stream.write(Buffer.concat([head, data]));
  };
  const end = () => {
    if (ended) return;
    ended = true;
    stream.destroy();
    onEnd();
  };

  stream.on("data", (chunk: Buffer) => {
    if (frozen) return;
    buffer = Buffer.concat([buffer, chunk]);
    for (let read = readFrame(buffer); read !== undefined; read = readFrame(buffer)) {
      buffer = buffer.subarray(read.length);
      if (read.opcode === 8) {
        if (lingers) continue;
        frame(8, read.data.subarray(0, 2));
        end();
        return;
      }
      if (read.opcode === 9) frame(10, read.data);
      if (read.opcode > 2) continue;
      parts.push(read.data);
      if (!read.final) continue;
      onText(Buffer.concat(parts).toString());
      parts = [];
    }
  });
  stream.on("error", end);
  stream.on("close", end);

  return {
    send: (text) => {
      frame(1, Buffer.from(text));
    },
    close: () => {
      frame(8, Buffer.from([3, 232]));
    },
    cut: end,
    linger: () => {
      lingers = true;
    },
    freeze: () => {
      frozen = true;
    },
  };
}

function lengthOf(data: Buffer): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(data.length));
  return bytes;
}

function readFrame(buffer: Buffer): { opcode: number; final: boolean; data: Buffer; length: number } | undefined {
  const [first, second] = buffer;
  if (first === undefined || second === undefined) return undefined;
  let at = 2;
  let size = second & 127;
  if (size === 126) {
    if (buffer.length < 4) return undefined;
    size = buffer.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (buffer.length < 10) return undefined;
    size = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  const mask = (second & 128) === 0 ? undefined : buffer.subarray(at, at + 4);
  at += mask === undefined ? 0 : 4;
  if (buffer.length < at + size) return undefined;
  const data = Buffer.from(buffer.subarray(at, at + size));
  for (let index = 0; mask !== undefined && index < data.length; index++)
    data[index] = (data[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return { opcode: first & 15, final: (first & 128) !== 0, data, length: at + size };
}
