import { describeError, InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { Tool } from "./contract.ts";

const DEFAULT_MAX_CHARS = 32_000;
const MAX_FAILURE_CHARS = 2_000;
const MAX_NAME_CHARS = 100;

/**
 * What the model sees of a result: text as it is, anything else as compact JSON. Never longer than `maxChars`; what
 * was cut is said at the end.
 */
export function renderToolResult(value: unknown, maxChars = DEFAULT_MAX_CHARS): string {
  return cut(renderWhole(value), maxChars);
}

/** All of a result as the model would see it without a limit. */
export function renderWhole(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "done");
}

/**
 * The beginning of a result that is kept whole elsewhere, at most `maxChars` long, with the way to read on at its end.
 * `keptChars` says how much of it is kept.
 */
export function cutWithReference(
  text: string,
  maxChars: number,
  { reference, keptChars }: { readonly reference: string; readonly keptChars: number },
): string {
  const note = (offset: number) =>
    `\n[cut: characters ${offset} to ${text.length} are not shown; read on with result_read, reference ${JSON.stringify(reference)}, offset ${offset}${keptChars < text.length ? `; only the first ${keptChars} are kept` : ""}]`;
  const kept = text.slice(0, Math.max(0, maxChars - note(text.length).length));
  const whole = endsInHalfACharacter(kept) ? kept.slice(0, -1) : kept;
  return whole + note(whole.length);
}

/** What the model sees of a failed call: `{"error": {"code", "message"}}`. */
export function renderToolFailure(error: unknown): string {
  return JSON.stringify({ error: { code: failureCode(error), message: cut(describeError(error), MAX_FAILURE_CHARS) } });
}

/** The failure of a call to a tool that is not there; names those that are. */
export function unknownTool(name: string, available: readonly Pick<Tool, "name">[]): InvalidInput {
  const names = available.map((tool) => tool.name).join(", ");
  return new InvalidInput(
    `unknown tool ${JSON.stringify(name.slice(0, MAX_NAME_CHARS))}; available: ${names === "" ? "none" : names}`,
    {
      code: "unknown_tool",
    },
  );
}

/** Reads the arguments text of a call; empty text means no arguments. Throws `InvalidInput` when it is not JSON. */
export function parseToolArgs(name: string, text: string): unknown {
  if (text.trim() === "") return {};
  try {
    const args: unknown = JSON.parse(text);
    return args;
  } catch (error) {
    // Without `cause`: the engine's message quotes the text, and arguments can hold secrets.
    throw new InvalidInput(`Arguments of "${name}" are not JSON: ${withoutQuote(describeError(error))}`, {
      code: "invalid_arguments",
    });
  }
}

function withoutQuote(message: string): string {
  return message.replace(/, (\.\.\.)?".*$/s, "");
}

function failureCode(error: unknown): string {
  return error instanceof OutsideError || error instanceof InvalidInput ? error.code : "failed";
}

function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  // The note's own length depends on the number in it; the longest it can be is reserved.
  const kept = text.slice(0, Math.max(0, maxChars - cutNote(text.length, text.length).length));
  const whole = endsInHalfACharacter(kept) ? kept.slice(0, -1) : kept;
  return whole + cutNote(text.length - whole.length, text.length);
}

function cutNote(cutChars: number, allChars: number): string {
  return `\n[cut: ${cutChars} of ${allChars} characters are not shown]`;
}

function endsInHalfACharacter(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
