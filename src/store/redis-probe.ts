import { createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { OutsideError } from "../kernel/errors.ts";

/**
 * What answers on a unix socket: a server that takes commands, one that still reads its data, nothing at all, or
 * something that accepts connections and gives no good answer.
 */
export type ProbeResult = "ready" | "loading" | "nothing" | "silent";

/**
 * Sends one PING and never waits longer than two seconds. It speaks over a bare socket because the client library
 * reports a refused, a cut and a timed-out first connection with one and the same error.
 */
export async function probeRedis(socketPath: string): Promise<ProbeResult> {
  const socket = createConnection({ path: socketPath });
  try {
    return await new Promise<ProbeResult>((done) => {
      socket.setTimeout(2_000, () => done("silent"));
      socket.once("connect", () => socket.write("PING\r\n"));
      socket.once("data", (data) => done(readReply(data.toString("latin1"))));
      socket.once("close", () => done("silent"));
      socket.on("error", (error: NodeJS.ErrnoException) => done(NOBODY.has(error.code) ? "nothing" : "silent"));
    });
  } finally {
    socket.destroy();
  }
}

/**
 * Waits until the server takes commands, as long as it reads its data. Throws `OutsideError` when `hasEnded` says so
 * first, or after `waitMs` without any sign of it.
 */
export async function waitForRedis(
  socketPath: string,
  { hasEnded, waitMs }: { hasEnded: () => boolean; waitMs: number },
): Promise<void> {
  let giveUpAt = performance.now() + waitMs;
  for (;;) {
    const result = await probeRedis(socketPath);
    if (result === "ready") return;
    if (result === "loading") giveUpAt = performance.now() + waitMs;
    if (hasEnded()) throw new OutsideError(`Redis on ${socketPath} ended before it was ready`, { code: "unavailable" });
    if (performance.now() > giveUpAt)
      throw new OutsideError(`Redis on ${socketPath} was not ready after ${waitMs / 1000} s (${result})`, {
        code: "timeout",
      });
    await delay(20);
  }
}

/** No such file, a socket nobody listens on, a file that is no socket. */
const NOBODY = new Set<string | undefined>(["ENOENT", "ECONNREFUSED", "ENOTSOCK"]);

function readReply(text: string): ProbeResult {
  if (text.startsWith("+PONG")) return "ready";
  return text.startsWith("-LOADING") ? "loading" : "silent";
}
