/**
 * Text from outside in a form that a terminal only shows: whatever could move the cursor, colour, retitle, answer or
 * reorder is taken out or made visible. Line breaks and tabs stay. Safe to apply to pieces of a stream.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(DROPPED, "")
    .replace(CONTROL, (character) => PICTURES[character.codePointAt(0) ?? 0] ?? "\u{FFFD}");
}

// Carriage returns overwrite a line; the others change the direction in which text is read.
const DROPPED = /[\r\u202A-\u202E\u2066-\u2069]/g;
// All of C0 but tab and line feed, DEL, and C1, which some terminals obey as well.
const CONTROL = /(?![\t\n])[\p{Cc}\u2028\u2029]/gu;

const PICTURES: Readonly<Record<number, string>> = Object.fromEntries([
  ...Array.from({ length: 0x20 }, (_, code): [number, string] => [code, String.fromCodePoint(0x2400 + code)]),
  [0x7f, "\u2421"],
]);
