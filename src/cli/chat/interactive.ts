import type { Interface } from "node:readline";
import { resolveChoice } from "./choices.ts";
import { isBusy } from "./chat-state.ts";
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
}): Promise<void> {
  const { editor, screen, session, signal, note } = parts;
  let interrupted = false;
  const closed = Promise.withResolvers<void>();
  const close = () => editor.close();
  signal.addEventListener("abort", close);

  editor.on("close", closed.resolve);
  editor.on("line", (line) => {
    interrupted = false;
    screen.typed(line);
    if (line.trim() === LEAVE) return close();
    if (line.trim() === "") return;
    const text = resolveChoice(line, session.state().question?.choices ?? []);
    if (text !== line) note(`→ ${text}`);
    void session.send(text);
  });
  editor.on("SIGINT", () => {
    const busy = isBusy(session.state());
    switch (decideInterrupt({ again: interrupted, busy, typed: editor.line !== "" })) {
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
    interrupted = true;
  });
  editor.prompt();
  if (signal.aborted) close();
  await closed.promise;
  signal.removeEventListener("abort", close);
}
