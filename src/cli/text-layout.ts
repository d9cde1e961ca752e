/** How many columns of a terminal a text without control characters takes. Close, not exact: terminals differ. Pure. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (ZERO_WIDTH.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/**
 * Breaks a text into rows of at most `columns` columns, between words where there are any. Its own line breaks stay,
 * and so does white space at the end of the last row: more may follow. A tab is two spaces. Pure.
 */
export function wrap(text: string, columns: number): string[] {
  return text
    .replaceAll("\t", "  ")
    .split("\n")
    .flatMap((line) => wrapLine(line, Math.max(columns, 2)));
}

/** The beginning of a text, as much as fits into one row, with a mark where something was left out. Pure. */
export function fitRow(text: string, columns: number): string {
  const [line = ""] = text.replaceAll("\t", "  ").split("\n");
  if (displayWidth(line) <= columns) return line;
  let row = "";
  for (const character of line) {
    if (displayWidth(row + character) > columns - 1) break;
    row += character;
  }
  return `${row}…`;
}

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const WIDE =
  /^[\u1100-\u115F\u231A\u231B\u23E9-\u23F3\u25FD\u25FE\u2614\u2615\u26A1\u2705\u274C\u2728\u2753-\u2757\u2B50\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1F64F}\u{1F680}-\u{1F6FF}\u{1F900}-\u{1FAFF}\u{20000}-\u{3FFFD}]$/u;

function wrapLine(line: string, columns: number): string[] {
  const rows: string[] = [];
  let row = "";
  let width = 0;
  for (const word of line.match(/\s+|\S+/g) ?? []) {
    const wide = displayWidth(word);
    if (width + wide <= columns) {
      row += word;
      width += wide;
      continue;
    }
    // The break stands for the space between two words.
    const isSpace = /^\s/.test(word);
    if (row.trim() !== "") {
      rows.push(row.trimEnd());
      row = "";
      width = 0;
      if (isSpace) continue;
    }
    for (const character of word) {
      const next = displayWidth(character);
      if (width + next > columns) {
        rows.push(row);
        row = "";
        width = 0;
      }
      row += character;
      width += next;
    }
  }
  return [...rows, row];
}
