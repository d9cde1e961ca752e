import { hideCredentials, namesSecret, SECRET_MARK } from "../../kernel/secret-looking.ts";

/** One long text must not push the rest of a call out of sight. */
const MAX_TEXT_CHARS = 600;
const MAX_CHARS = 4_000;
const MAX_DEPTH = 20;

/**
 * The arguments of a call as a person reads them before they approve it: indented JSON, secrets hidden, long texts cut
 * with their full size, and characters that cannot be seen or turn the line around written as escapes.
 */
export function showArguments(args: unknown): string {
  const text = JSON.stringify(shown(args, 0), null, 2) ?? "{}";
  const visible = text.replaceAll(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (visible.length <= MAX_CHARS) return visible;
  return `${visible.slice(0, MAX_CHARS).toWellFormed()}\n… (${visible.length} characters in all; the rest is part of the call and not shown)`;
}

// Controls, zero-width and direction marks: a text that holds them does not look like what it is.
const UNSEEN = /[\u007F-\u009F\u00AD\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g;

function shown(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cut(hideCredentials(value));
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "(nested too deeply to be shown)";
  if (Array.isArray(value)) return value.map((each: unknown) => shown(each, depth + 1));
  const entries = Object.entries(value);
  // Such as memory_set, where a flag says that the value is one.
  const saysSecret = entries.some(([name, each]) => name === "secret" && each === true);
  return Object.fromEntries(
    entries.map(([name, each]: [string, unknown]) => [
      name,
      hides(name, each, saysSecret) ? SECRET_MARK : shown(each, depth + 1),
    ]),
  );
}

function hides(name: string, value: unknown, saysSecret: boolean): boolean {
  if (value === null || typeof value === "boolean") return false;
  return namesSecret(name) || (saysSecret && name === "value");
}

function cut(text: string): string {
  if (text.length <= MAX_TEXT_CHARS) return text;
  return `${text.slice(0, MAX_TEXT_CHARS).toWellFormed()}… (${text.length} characters in all)`;
}
