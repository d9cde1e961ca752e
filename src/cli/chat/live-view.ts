import { printable } from "../printable.ts";
import { fitRow, wrap } from "../text-layout.ts";
import { listChoices } from "./choices.ts";
import { createDraft } from "./draft.ts";
import { listFiles } from "./files.ts";
import type { Screen } from "./screen.ts";
import { statusLine } from "./status-line.ts";
import type { ChatView } from "./view.ts";

/** How many messages from before are shown. */
const EARLIER = 6;

/** A view for people, with a voice of its own. */
export interface LiveView extends ChatView {
  /** Something this program says. */
  readonly note: (text: string) => void;
  /** Leaves the terminal as it should stay; shows nothing from then on. */
  readonly end: () => void;
}

/** Shows a conversation on a terminal: texts while they are written, and one line below on what is going on. */
export function createLiveView(screen: Screen): LiveView {
  const draft = createDraft();
  // The last row of the text being written; it stays as it is once it is full.
  let tail: string | undefined;
  let status = "";

  function show(rows: readonly string[]): void {
    const area = [...(tail === undefined ? [] : [tail]), ...(status === "" ? [] : [screen.dim(status)])];
    screen.show(rows, area);
  }

  function rowsOf(text: string): string[] {
    return wrap(printable(text), screen.columns);
  }

  function write(text: string): void {
    const rows = wrap((tail ?? "") + printable(text), screen.columns);
    tail = rows.pop();
    show(rows);
  }

  /** What was being written stays as it is. */
  function closeTail(): string[] {
    const rows = tail === undefined ? [] : tail === "" ? [""] : [tail, ""];
    tail = undefined;
    return rows;
  }

  return {
    earlier(messages) {
      const hidden = messages.length - EARLIER;
      const rows = hidden > 0 ? [screen.dim(`(${hidden} earlier messages)`)] : [];
      for (const { role, text, choices = [], files } of messages.slice(-EARLIER)) {
        const said = [text.trimEnd(), listChoices(choices), listFiles(files)];
        const whole = role === "user" ? `> ${text}` : said.filter((part) => part !== "").join("\n");
        rows.push(...rowsOf(whole).map(screen.dim), ...(role === "user" ? [] : [""]));
      }
      if (rows.length > 0) show(rows);
    },
    said(delivery) {
      const { text, continues } = draft.finish(delivery);
      // What another run says, such as a command's, appears above the text being written.
      const before = continues || draft.isOpen() ? [] : closeTail();
      const begun = continues ? (tail ?? "") : "";
      if (continues) tail = undefined;
      const rest = `${begun}${printable(text)}`.trimEnd();
      const { choices = [], files = [] } = delivery;
      show([
        ...before,
        ...(rest === "" ? [] : wrap(rest, screen.columns)),
        ...(choices.length === 0 ? [] : rowsOf(listChoices(choices))),
        // Not wrapped: a broken address cannot be followed.
        ...(files.length === 0 ? [] : printable(listFiles(files)).split("\n")),
        "",
      ]);
    },
    writing(piece) {
      const added = draft.add(piece);
      if (added === undefined) return;
      if (added.anew) show(closeTail());
      write(added.text);
    },
    heard: (text) => show(rowsOf(`(elsewhere) > ${text}`).map(screen.dim)),
    trouble: (sentence) => show(rowsOf(sentence)),
    note: (text) => show(rowsOf(text).map(screen.dim)),
    end() {
      show(closeTail());
      screen.close();
    },
    changed(state) {
      if (state.link === "lost" && draft.isOpen()) {
        draft.gap();
        show(closeTail());
      }
      const next = fitRow(printable(statusLine(state)), screen.columns);
      if (next === status) return;
      status = next;
      show([]);
    },
  };
}
