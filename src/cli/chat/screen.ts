import { clearScreenDown, cursorTo, moveCursor, type Interface } from "node:readline";
import { styleText } from "node:util";
import type { Output } from "../io.ts";
import { displayWidth } from "../text-layout.ts";

/** What is written before the line a person types. */
const PROMPT = "> ";

/**
 * A terminal with text that stays and, below it, a few rows that are replaced. What it is given must be printable and
 * fit into {@link Screen.columns}.
 */
export interface Screen {
  readonly columns: number;
  /** Adds rows that stay, and shows these below them in place of the earlier ones. */
  readonly show: (rows: readonly string[], area: readonly string[]) => void;
  /** In a quiet colour, where the terminal has any. */
  readonly dim: (text: string) => string;
  /** Takes away what is replaced; from now on only rows that stay are shown. */
  readonly close: () => void;
}

/** A screen above the line that is being typed. */
export interface PromptScreen extends Screen {
  /** Call it for each line that was typed: it takes the place of the rows that were shown while it was. */
  readonly typed: (line: string) => void;
}

/** The screen of a terminal that shows answers while somebody types. It closes with the editor. */
export function createPromptScreen(editor: Interface, output: Output): PromptScreen {
  let area: readonly string[] = [];
  let closed = false;

  function prompt(): void {
    editor.setPrompt([...area, PROMPT].join("\n"));
    editor.prompt(true);
  }

  /** Clears the area and the line; returns how many rows the cursor was below the first of them. */
  function clear(): number {
    const above = editor.getCursorPos().rows;
    moveCursor(output, 0, -above);
    cursorTo(output, 0);
    clearScreenDown(output);
    return above;
  }

  function close(): void {
    if (!closed) clear();
    closed = true;
  }
  editor.once("close", close);

  return {
    get columns() {
      return columnsOf(output);
    },
    dim: (text) => dim(text, output),
    close,
    show(rows, next) {
      if (closed) return writeRows(rows, output);
      const above = clear();
      // The editor redraws from the first row of its prompt, which it believes to be this far above the cursor.
      writeRows([...rows, ...Array.from({ length: above }, () => "")], output);
      area = next;
      prompt();
    },
    typed(line) {
      // By now the editor has gone to the row below the line and begun a new one.
      const { columns = DEFAULT_COLUMNS } = output;
      const rows = Math.floor(displayWidth(PROMPT + line) / columns) + 1;
      moveCursor(output, 0, -(area.length + rows));
      cursorTo(output, 0);
      clearScreenDown(output);
      output.write(`${PROMPT}${line}\n`);
      prompt();
    },
  };
}

/** The screen of a terminal in which nobody types. */
export function createBareScreen(output: Output): Screen {
  let shown = 0;
  let closed = false;

  function clear(): void {
    if (shown === 0) return;
    moveCursor(output, 0, -(shown - 1));
    cursorTo(output, 0);
    clearScreenDown(output);
  }
  return {
    get columns() {
      return columnsOf(output);
    },
    dim: (text) => dim(text, output),
    show(rows, area) {
      if (closed) return writeRows(rows, output);
      clear();
      writeRows(rows, output);
      output.write(area.join("\n"));
      shown = area.length;
    },
    close() {
      if (!closed) clear();
      closed = true;
    },
  };
}

function writeRows(rows: readonly string[], output: Output): void {
  output.write(rows.map((row) => `${row}\n`).join(""));
}

// A row that is full to the last column makes some terminals begin the next one.
function columnsOf(output: Output): number {
  return Math.max(20, (output.columns ?? DEFAULT_COLUMNS) - 1);
}

const DEFAULT_COLUMNS = 80;

function dim(text: string, stream: Output): string {
  return styleText("dim", text, { stream });
}
