import type { Writable } from "node:stream";
import { printable } from "../printable.ts";
import { listChoices } from "./choices.ts";
import { listFiles } from "./files.ts";
import type { ChatView } from "./view.ts";

/** Shows a conversation to a script: the final answers to what was sent from here, a blank line between them. */
export function createPlainView(output: Pick<Writable, "write">, errors: Pick<Writable, "write">): ChatView {
  let first = true;
  return {
    said({ text, choices = [], files = [] }, own) {
      if (!own) return;
      const block = [
        text.trimEnd(),
        ...(choices.length === 0 ? [] : [listChoices(choices)]),
        ...(files.length === 0 ? [] : [listFiles(files)]),
      ].join("\n");
      output.write(`${first ? "" : "\n"}${printable(block)}\n`);
      first = false;
    },
    trouble: (sentence) => void errors.write(`parley: ${printable(sentence)}\n`),
    earlier: () => undefined,
    writing: () => undefined,
    heard: () => undefined,
    changed: () => undefined,
  };
}
