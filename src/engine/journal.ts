import type { MessageId, RunId } from "../kernel/ids.ts";
import { contentOf, parseMailLine } from "../store/mail.ts";
import type { StepErrorCode } from "./errors.ts";

/** How a run ended. `silent` is an explicit choice to say nothing. */
export type End = "done" | "failed" | "stopped" | "silent";

/** What a step came to. */
export type StepOutcome =
  | { readonly value: unknown; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: { readonly code: StepErrorCode; readonly message: string } };

export interface StepEntry {
  readonly kind: "step";
  readonly step: string;
  readonly outcome: StepOutcome;
  /** When it was recorded and how long its last try took, in milliseconds. */
  readonly at: number;
  readonly ms: number;
  readonly tries: number;
}

/**
 * One line of a lane's journal. The journal is the lane's history too: runs follow each other, each opened by a message
 * and closed by its end. On the wire a line is one letter and JSON, but for the first two kinds: those are entries of
 * the inbox, moved here by the scripts.
 */
export type JournalEntry =
  | { readonly kind: "opened"; readonly runId: RunId; readonly id: MessageId; readonly message: unknown }
  | { readonly kind: "joined"; readonly id: MessageId; readonly message: unknown }
  | { readonly kind: "intent"; readonly step: string; readonly at: number }
  /** `tries` counts this one: a line that was appended twice is still one try. */
  | {
      readonly kind: "try-failed";
      readonly step: string;
      readonly message: string;
      readonly at: number;
      readonly tries: number;
    }
  | StepEntry
  | { readonly kind: "woken"; readonly key: string; readonly value: unknown; readonly at: number }
  | { readonly kind: "ended"; readonly runId: RunId; readonly end: End; readonly at: number; readonly text?: string }
  /** A line of the handler's own, kept in order with the rest. */
  | { readonly kind: "note"; readonly note: unknown }
  /** Damaged from outside. Readers skip it; nothing before or after it is lost. */
  | { readonly kind: "unreadable"; readonly line: string };

export function intentLine(step: string, at: number): string {
  return `!${JSON.stringify({ s: step, at })}`;
}

export function tryFailedLine(step: string, message: string, at: number, tries: number): string {
  return `?${JSON.stringify({ s: step, e: message, at, n: tries })}`;
}

export function stepLine(entry: Omit<StepEntry, "kind">): string {
  const { step, outcome, at, ms, tries } = entry;
  const result = outcome.error === undefined ? { v: outcome.value } : { e: outcome.error };
  return `=${JSON.stringify({ s: step, ...result, at, ms, ...(tries > 1 ? { n: tries } : {}) })}`;
}

export function wokenLine(key: string, value: unknown, at: number): string {
  return `~${JSON.stringify({ key, v: value, at })}`;
}

export function endedLine(runId: RunId, end: End, at: number, text?: string): string {
  return `.${JSON.stringify({ run: runId, end, at, ...(text === undefined ? {} : { text }) })}`;
}

export function noteLine(note: unknown): string {
  return `#${JSON.stringify(note)}`;
}

/** True for the line with which this run begins; what the message in it says does not matter. */
export function opensRun(line: string, runId: RunId): boolean {
  if (!line.startsWith(">")) return false;
  return parseMailLine(line)?.runId === runId;
}

/** Reads one line. Never throws: what cannot be read is `unreadable`. */
export function parseLine(line: string): JournalEntry {
  try {
    return readLine(line) ?? { kind: "unreadable", line };
  } catch {
    return { kind: "unreadable", line };
  }
}

function readLine(line: string): JournalEntry | undefined {
  if (line.startsWith(">") || line.startsWith("+")) return readMail(line);
  const content: unknown = JSON.parse(line.slice(1));
  if (line.startsWith("#")) return { kind: "note", note: content };
  return typeof content === "object" && content !== null ? toEntry(line[0], content) : undefined;
}

function readMail(line: string): JournalEntry | undefined {
  const found = parseMailLine(line);
  if (found === undefined) return undefined;
  const { kind, runId, mail } = found;
  const message = contentOf(mail);
  return kind === "opened" ? { kind, runId, id: mail.id, message } : { kind, id: mail.id, message };
}

// The letter says which fields are there: only our own lines above and the scripts write this list.
interface Fields {
  readonly run?: RunId;
  readonly s?: string;
  readonly v?: unknown;
  readonly e?: { code: StepErrorCode; message: string } | string | null;
  readonly at?: number;
  readonly ms?: number;
  readonly n?: number;
  readonly key?: string;
  readonly end?: End;
  readonly text?: string;
}

function toEntry(letter: string | undefined, fields: Fields): JournalEntry | undefined {
  const { at = 0 } = fields;
  const step = typeof fields.s === "string" ? fields.s : undefined;
  switch (letter) {
    case "!":
      return step === undefined ? undefined : { kind: "intent", step, at };
    case "?":
      return step === undefined
        ? undefined
        : { kind: "try-failed", step, message: typeof fields.e === "string" ? fields.e : "", at, tries: fields.n ?? 1 };
    case "=": {
      if (step === undefined) return undefined;
      const outcome: StepOutcome =
        typeof fields.e === "object" && fields.e !== null ? { error: fields.e } : { value: fields.v };
      return { kind: "step", step, outcome, at, ms: fields.ms ?? 0, tries: fields.n ?? 1 };
    }
    case "~":
      return typeof fields.key !== "string" ? undefined : { kind: "woken", key: fields.key, value: fields.v, at };
    case ".": {
      if (typeof fields.run !== "string" || typeof fields.end !== "string") return undefined;
      const ended = { kind: "ended", runId: fields.run, end: fields.end, at } as const;
      return fields.text === undefined ? ended : { ...ended, text: fields.text };
    }
    default:
      return undefined;
  }
}

/** Reads lines in order; a step that was appended twice (its first reply was lost) counts once. */
export function parseLines(lines: readonly string[]): JournalEntry[] {
  const seen = new Set<string>();
  const entries: JournalEntry[] = [];
  for (const line of lines) {
    const entry = parseLine(line);
    if (entry.kind === "opened") seen.clear();
    if (entry.kind === "step") {
      if (seen.has(entry.step)) continue;
      seen.add(entry.step);
    }
    entries.push(entry);
  }
  return entries;
}
