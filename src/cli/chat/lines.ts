import { createInterface } from "node:readline";
import type { Input } from "../io.ts";
import { resolveChoice } from "./choices.ts";
import { LEAVE } from "./interactive.ts";
import type { Session } from "./session.ts";

/**
 * Sends the lines of the input as messages, each after the one before is answered or has asked something back; returns
 * the exit code when all is answered. A number answers a question with choices. Never leaves its input open.
 */
export async function chatByLines(parts: {
  readonly input: Input;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly onSend: (text: string) => void;
  /** Says what is left open at the end. */
  readonly onUnanswered: (count: number) => void;
}): Promise<number> {
  const { input, session, signal } = parts;
  // Lines that are closed before they are read never come to an end.
  if (signal.aborted) return 1;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const close = () => lines.close();
  signal.addEventListener("abort", close);
  try {
    for await (const line of lines) {
      if (signal.aborted || line.trim() === LEAVE) break;
      if (line.trim() === "") continue;
      parts.onSend(line);
      void session.send(resolveChoice(line, session.state().question?.choices ?? []));
      await session.quiet();
    }
  } finally {
    signal.removeEventListener("abort", close);
    lines.close();
  }
  const { failed, refused, unsure } = session.shortfall();
  const unanswered = session.state().pending.length;
  if (unanswered > 0 && !signal.aborted) parts.onUnanswered(unanswered);
  return failed + refused + unsure + unanswered > 0 ? 1 : 0;
}
