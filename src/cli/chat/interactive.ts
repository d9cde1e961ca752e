import type { Interface } from "node:readline";
import { isControl } from "../../agent/command-text.ts";
import { resolveChoice } from "./choices.ts";
import { describeError } from "../../kernel/errors.ts";
import { isBusy } from "./chat-state.ts";
import { attachedPath, readSentFile, type SentFile } from "./files.ts";
import { decideInterrupt } from "./interrupt.ts";
import type { PromptScreen } from "./screen.ts";
import type { Session } from "./session.ts";

/** What ends the chat when it is typed. */
export const LEAVE = "/quit";

/**
 * Sends what is typed until the person leaves: with /quit, Ctrl+D, or Ctrl+C twice. Ctrl+C once stops what is going.
 * Resolves early when the signal aborts; afterwards the editor is closed.
 */
export async function chatByTyping(parts: {
  readonly editor: Interface;
  readonly screen: PromptScreen;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  readonly now: () => number;
}): Promise<void> {
  const { editor, screen, session, signal, note, now } = parts;
  let interruptedAt = Number.NEGATIVE_INFINITY;
  const closed = Promise.withResolvers<void>();
  const files: SentFile[] = [];
  const attach = (path: string) => {
    try {
      const file = readSentFile(path);
      files.push(file);
      note(`${file.name} goes with your next message; Enter alone sends it without one.`);
    } catch (error) {
      note(describeError(error));
    }
  };
  const close = () => editor.close();
  signal.addEventListener("abort", close);

  editor.on("close", closed.resolve);
  editor.on("line", (line) => {
    screen.typed(line);
    if (line.trim() === LEAVE) return close();
    const path = attachedPath(line);
    if (path !== undefined) return attach(path);
    // A file may go without a word.
    if (line.trim() === "" && files.length === 0) return;
    const text = resolveChoice(line, session.state().question?.choices ?? []);
    if (text !== line) note(`→ ${text}`);
    void session.send(text, isControl(text) ? [] : files.splice(0));
  });
  editor.on("SIGINT", () => {
    const again = now() - interruptedAt < AGAIN_MS;
    interruptedAt = now();
    switch (decideInterrupt({ again, busy: isBusy(session.state()), typed: editor.line !== "" })) {
      case "leave":
        return close();
      case "stop":
        note("Stopping. Ctrl+C once more leaves.");
        void session.send("/stop");
        break;
      case "clear":
        editor.write(null, { ctrl: true, name: "e" });
        editor.write(null, { ctrl: true, name: "u" });
        break;
      case "hint":
        note(`Ctrl+C once more, or ${LEAVE}, leaves.`);
    }
  });
  editor.prompt();
  if (signal.aborted) close();
  await closed.promise;
  signal.removeEventListener("abort", close);
}

/** Two presses of Ctrl+C count as two in a row within this time. */
const AGAIN_MS = 3_000;
