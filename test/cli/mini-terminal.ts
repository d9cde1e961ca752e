import { PassThrough, Writable } from "node:stream";
import type { Input, Output } from "../../src/cli/io.ts";

/** A terminal with a keyboard, as far as the chat uses one; its rows never scroll out of sight. */
export interface MiniTerminal {
  readonly input: Input;
  readonly output: Output;
  type(keys: string): void;
  /** What is on the screen now, without trailing blanks. */
  screen(): string;
  /** Resolves with the screen as soon as it holds this text. */
  until(text: string): Promise<string>;
}

/** A terminal that understands the few control sequences Node's line editor uses; anything else makes it throw. */
export function miniTerminal(columns = 60): MiniTerminal {
  const rows: string[][] = [[]];
  let x = 0;
  let y = 0;
  let written = Promise.withResolvers<void>();

  function row(): string[] {
    while (rows.length <= y) rows.push([]);
    return rows[y] ?? [];
  }

  function put(character: string): void {
    if (x === columns) {
      x = 0;
      y += 1;
    }
    const here = row();
    while (here.length < x) here.push(" ");
    here[x] = character;
    x += 1;
  }

  function control(sequence: string): void {
    const [, count = "", what = ""] = /^\[(\d*(?:;\d*)*)([A-Z]|m)$/i.exec(sequence) ?? [];
    const n = Number(count.split(";")[0] ?? "") || 1;
    if (what === "A") y = Math.max(0, y - n);
    else if (what === "B") y += n;
    else if (what === "C") x = Math.min(columns - 1, x + n);
    else if (what === "D") x = Math.max(0, x - n);
    else if (what === "G") x = n - 1;
    else if (what === "J" && count !== "2") {
      row().length = Math.min(row().length, x);
      rows.length = y + 1;
    } else if (what === "K") row().length = Math.min(row().length, x);
    else if (what !== "m") throw new Error(`the terminal was sent ESC${sequence}`);
  }

  function show(text: string): void {
    for (const [token] of text.matchAll(/\p{Cc}\[[\d;]*[A-Za-z]|[\s\S]/gu)) {
      if (token.startsWith("\u001B[")) control(token.slice(1));
      else if (token === "\n") {
        y += 1;
        x = 0;
      } else if (token === "\r") x = 0;
      else if (/\p{Cc}/u.test(token)) throw new Error(`the terminal was sent ${JSON.stringify(token)}`);
      else put(token);
    }
    written.resolve();
    written = Promise.withResolvers();
  }

  const screen = () =>
    Array.from(rows, (row) => row.join("").trimEnd())
      .join("\n")
      .trimEnd();
  const input = new PassThrough();
  const output = new Writable({
    decodeStrings: false,
    write(chunk: unknown, _encoding, done) {
      show(String(chunk));
      done();
    },
  });
  return {
    input: Object.assign(input, { isTTY: true }),
    output: Object.assign(output, { isTTY: true, columns }),
    type: (keys) => void input.write(keys),
    screen,
    async until(text) {
      while (!screen().includes(text)) await written.promise;
      return screen();
    },
  };
}
