const LEVELS: Readonly<Record<string, { readonly word: string; readonly colour: string }>> = {
  debug: { word: "debug", colour: "\u001B[2m" },
  info: { word: "info ", colour: "\u001B[36m" },
  warn: { word: "WARN ", colour: "\u001B[33m" },
  error: { word: "ERROR", colour: "\u001B[31m" },
};
const RESET = "\u001B[0m";

/**
 * One JSON log line as one line for a person: time, level, message, then the other fields. Control characters stay
 * escaped, so that nothing a stranger wrote can steer the terminal.
 */
export function renderLogLine(json: string, options: { readonly colour: boolean }): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const { word, colour } = LEVELS[String(level)] ?? { word: String(level), colour: "" };
  const parts = [
    // The time of day; the date is in the JSON form.
    String(time).slice(11, 23),
    options.colour ? `${colour}${word}${RESET}` : word,
    escapeControls(typeof msg === "string" ? msg : ""),
    ...Object.entries(fields).map(([key, value]) => `${escapeControls(key)}=${renderValue(value)}`),
  ];
  return `${parts.join(" ")}\n`;
}

function renderValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=\p{Cc}]+$/u.test(value)) return value;
  return escapeControls(JSON.stringify(shortError(value) ?? value));
}

// An error reads as its message and where it was thrown; the rest of it is in the JSON form.
function shortError(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("message" in value) || !("stack" in value)) return undefined;
  const frame = /\n\s+(at .+)/.exec(String(value.stack))?.[1];
  return frame === undefined ? String(value.message) : `${String(value.message)} ${frame}`;
}

function escapeControls(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}
