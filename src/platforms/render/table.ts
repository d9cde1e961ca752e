/** A table wider than this breaks its lines on a phone, and is then harder to read than a list. */
const MAX_WIDTH = 60;

/** A table in characters of equal width, or undefined when it is too wide for that. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] | undefined {
  const widths = head.map((cell, column) => Math.max(...[cell, ...rows.map((row) => row[column] ?? "")].map(widthOf)));
  if (widths.reduce((sum, width) => sum + width, 0) + 3 * (widths.length - 1) > MAX_WIDTH) return undefined;
  const line = (cells: readonly string[]) =>
    widths
      .map((width, column) => pad(cells[column] ?? "", width))
      .join(" | ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("-|-"), ...rows.map(line)];
}

const widthOf = (text: string): number => [...new Intl.Segmenter().segment(text)].length;

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}
