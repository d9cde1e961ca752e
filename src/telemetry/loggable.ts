import { namesSecret, SECRET_MARK } from "../kernel/secret-looking.ts";
import type { Scrubber } from "./scrub.ts";

// A line is read by people: what is longer or deeper than this is cut, and says so.
const MAX_CHARS = 8000;
const MAX_ITEMS = 100;
const MAX_DEPTH = 6;

// More than is shown is looked at, so that a secret on the edge is recognised before it is cut in two.
const SCRUB_MARGIN = 4000;

/**
 * A copy of `fields` that is safe to write: secrets left out by the name of their key and by their value, errors
 * spelled out, cycles and excess cut. Never throws, whatever the fields do.
 */
export function loggable(fields: object, scrubber: Scrubber): Record<string, unknown> {
  const copied = copyValue(fields instanceof Error ? { error: fields } : fields, scrubber, []);
  return isRecord(copied) ? copied : { fields: copied };
}

/** Text that is safe to write; the same rules. */
export function loggableText(text: string, scrubber: Scrubber): string {
  if (text.length <= MAX_CHARS) return scrubber.scrub(text);
  const shown = scrubber.scrub(text.slice(0, MAX_CHARS + SCRUB_MARGIN)).slice(0, MAX_CHARS);
  return `${shown}… (${text.length} characters)`;
}

function copyValue(value: unknown, scrubber: Scrubber, above: readonly object[]): unknown {
  switch (typeof value) {
    case "string":
      return loggableText(value, scrubber);
    case "number":
      // A secret may be made of digits only.
      return scrubber.scrub(String(value)) === String(value) ? value : SECRET_MARK;
    case "bigint":
      return scrubber.scrub(String(value));
    case "object":
      if (value === null) return null;
      if (above.includes(value)) return "(circular)";
      if (above.length >= MAX_DEPTH) return "(too deep)";
      return copyObject(value, scrubber, [...above, value]);
    case "boolean":
      return value;
    default:
      return undefined;
  }
}

function copyObject(value: object, scrubber: Scrubber, above: readonly object[]): unknown {
  if (value instanceof Error) return copyFields(errorFields(value), scrubber, above);
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (Array.isArray(value) || value instanceof Set) return copyItems([...value], scrubber, above);
  if (value instanceof Map) return copyFields(mapFields(value), scrubber, above);
  if ("toJSON" in value && typeof value.toJSON === "function") {
    const { toJSON } = value;
    return copyValue(
      attempt(() => toJSON.call(value, "")),
      scrubber,
      above,
    );
  }
  return copyFields(value, scrubber, above);
}

function mapFields(map: ReadonlyMap<unknown, unknown>): Record<string, unknown> {
  return Object.fromEntries([...map].map(([key, value]): [string, unknown] => [String(key), value]));
}

function errorFields(error: Error): Record<string, unknown> {
  const { name: type, message, stack, cause } = error;
  const more = ["code", "status", "errors"].map((key): [string, unknown] => [
    key,
    attempt(() => Reflect.get(error, key)),
  ]);
  return { type, message, ...Object.fromEntries(more), stack, cause };
}

function copyItems(items: readonly unknown[], scrubber: Scrubber, above: readonly object[]): unknown {
  const copied = items.slice(0, MAX_ITEMS).map((item) => copyValue(item, scrubber, above) ?? null);
  return items.length > MAX_ITEMS ? [...copied, `(${items.length} items)`] : copied;
}

function copyFields(fields: object, scrubber: Scrubber, above: readonly object[]): Record<string, unknown> {
  const keys = Object.keys(fields);
  const copied: [string, unknown][] = keys.slice(0, MAX_ITEMS).map((key) => {
    const value = attempt((): unknown => Reflect.get(fields, key));
    return [scrubber.scrub(key), hidesSecret(key, value) ? SECRET_MARK : copyValue(value, scrubber, above)];
  });
  if (keys.length > MAX_ITEMS) copied.push(["…", `(${keys.length} keys)`]);
  return Object.fromEntries(copied);
}

// `tokens: 12` counts something and `secret: true` says something is one; neither shows it.
function hidesSecret(key: string, value: unknown): boolean {
  if (value === null || value === undefined || typeof value === "boolean") return false;
  return namesSecret(key);
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return "(unreadable)";
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
