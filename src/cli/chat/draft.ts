import type { ChatEvent, Delivery } from "./chat-event.ts";

/** What is to be written for a piece of a text that is being made. `anew`: it is not the continuation of what was written. */
export interface DraftPiece {
  readonly text: string;
  readonly anew: boolean;
}

/** What is still to be written of a finished text: all of it, or what `continues` what was written while it was made. */
export interface DraftRest {
  readonly text: string;
  readonly continues: boolean;
}

/** The text a model is writing, as far as it has been shown: shown once, whether it came in pieces, whole, or both. */
export interface Draft {
  /** Takes a piece; undefined when it cannot be shown, because what came before it was missed. */
  add(piece: Extract<ChatEvent, { type: "text.delta" }>): DraftPiece | undefined;
  /** Whether a text has begun and is not finished. */
  isOpen(): boolean;
  /** Takes a delivery and forgets the text it finishes. */
  finish(delivery: Pick<Delivery, "id" | "text">): DraftRest;
  /** Pieces may have been missed: those that follow are left out until a text begins. */
  gap(): void;
}

/** Begins with nothing shown. */
export function createDraft(): Draft {
  let current: { run: string; step: string; text: string } | undefined;
  return {
    add({ run_id: run, step, text, reset = false }) {
      const continues = current?.run === run && current.step === step && !reset;
      // The first piece of a text says that it is the first.
      if (!continues && !reset) return undefined;
      current = { run, step, text: (continues ? (current?.text ?? "") : "") + text };
      return { text, anew: !continues };
    },
    isOpen: () => current !== undefined,
    finish({ id, text }) {
      // A delivery's id begins with the id of its run.
      if (current === undefined || !id.startsWith(`${current.run}:`)) return { text, continues: false };
      const shown = current.text;
      current = undefined;
      return text.startsWith(shown) ? { text: text.slice(shown.length), continues: true } : { text, continues: false };
    },
    gap() {
      current = undefined;
    },
  };
}
