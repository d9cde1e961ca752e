/** Whether a text fits a pattern in which `*` stands for any text and `?` for one character. Takes no more than pattern times text. */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < text.length) {
    if (pattern[at] === "*") {
      star = at;
      resume = position;
      at += 1;
    } else if (pattern[at] === "?" || (at < pattern.length && pattern[at] === text[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      resume += 1;
      at = star + 1;
      position = resume;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
