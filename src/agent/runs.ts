import type { RunId } from "../kernel/ids.ts";
import { inboundMessageSchema, type InboundMessage } from "../kernel/messages.ts";
import type { End, JournalEntry, StepEntry } from "../engine/journal.ts";
import { modelReplySchema, toolResultSchema, type StoredReply, type StoredResult } from "./steps.ts";

/** One run of a conversation as its journal tells it. Everything shown, sent to a model or listed is read from this. */
export interface RunRecord {
  readonly runId: RunId;
  readonly startedAt: number;
  readonly entries: readonly JournalEntry[];
  readonly ended: { readonly end: End; readonly at: number; readonly text: string | undefined } | undefined;
  /** A command such as /memory: shown to people, not to the model. */
  readonly command: boolean;
}

/** Splits a conversation's journal into its runs, oldest first. Lines outside any run are damage and left out. */
export function readRuns(entries: readonly JournalEntry[]): RunRecord[] {
  const runs: { runId: RunId; startedAt: number; entries: JournalEntry[] }[] = [];
  for (const entry of entries) {
    if (entry.kind === "opened") runs.push({ runId: entry.runId, startedAt: entry.at, entries: [entry] });
    else runs.at(-1)?.entries.push(entry);
  }
  return runs.map(toRecord);
}

/** Reads one run from its own entries. */
export function readRun(runId: RunId, entries: readonly JournalEntry[]): RunRecord {
  const opened = entries.find((entry) => entry.kind === "opened");
  return toRecord({ runId, startedAt: opened?.at ?? 0, entries });
}

function toRecord(run: { runId: RunId; startedAt: number; entries: readonly JournalEntry[] }): RunRecord {
  const ended = run.entries.find((entry) => entry.kind === "ended");
  return {
    ...run,
    ended: ended === undefined ? undefined : { end: ended.end, at: ended.at, text: ended.text },
    command: run.entries.some((entry) => entry.kind === "note" && isCommandNote(entry.note)),
  };
}

/** The note that marks a run as a command. */
export const COMMAND_NOTE = { command: true };

function isCommandNote(note: unknown): boolean {
  return typeof note === "object" && note !== null && "command" in note;
}

/** The messages of an opening or joining entry that can be read. */
export function inboundOf(entry: JournalEntry): InboundMessage[] {
  if (entry.kind !== "opened" && entry.kind !== "joined") return [];
  return entry.messages.flatMap((raw) => {
    const parsed = inboundMessageSchema.safeParse(raw);
    return parsed.success ? [parsed.data] : [];
  });
}

/** All messages a run answers. */
export function inboundOfRun(run: RunRecord): InboundMessage[] {
  return run.entries.flatMap(inboundOf);
}

/** A model's reply within a run, with what became of each of its tool calls. */
export interface Turn {
  /** Counts from 1: `ai_call_1`, `tool_1_1`. */
  readonly number: number;
  readonly reply: StoredReply;
  readonly results: readonly (StoredResult | undefined)[];
}

/** What happened in a run in the order the model sees it: people's messages and the model's turns. */
export type RunPart =
  | { readonly kind: "message"; readonly message: InboundMessage }
  | { readonly kind: "turn"; readonly turn: Turn };

/**
 * A run as parts. Answers to the model's questions become the results of those calls instead of messages, so every call
 * has at most one result wherever it was recorded.
 */
export function partsOf(run: RunRecord): RunPart[] {
  const steps = stepsByName(run);
  const asked = openQuestions(run);
  const parts: RunPart[] = [];
  for (const entry of run.entries) {
    if (entry.kind === "step") {
      const number = modelCallNumber(entry.step);
      const reply = number === undefined ? undefined : parseReply(entry);
      if (number === undefined || reply === undefined) continue;
      const results = reply.toolCalls.map((_call, index) => {
        const name = toolStep(number, index + 1);
        return asked.get(name)?.result ?? parseResult(steps.get(name));
      });
      parts.push({ kind: "turn", turn: { number, reply, results } });
    } else if (
      entry.kind === "opened" ||
      (entry.kind === "joined" && ![...asked.values()].some((q) => q.answeredBy === entry))
    ) {
      for (const message of inboundOf(entry)) parts.push({ kind: "message", message });
    }
  }
  return parts;
}

/** A question the model asked by a tool call. */
export interface OpenQuestion {
  readonly question: { readonly ask: string; readonly choices?: readonly string[] | undefined };
  /** When it was put to the person; undefined when that has not happened yet. */
  readonly askedAt: number | undefined;
  readonly answeredBy: JournalEntry | undefined;
  /** The result of the call, once it was answered. */
  readonly result: StoredResult | undefined;
}

/** The questions of a run by the name of their step. The first message that joins after a question answers it. */
export function openQuestions(run: RunRecord): Map<string, OpenQuestion> {
  const questions = new Map<string, OpenQuestion>();
  for (const entry of run.entries) {
    if (entry.kind === "step") {
      const expired = questions.get(entry.step.slice(EXPIRED.length));
      if (entry.step.startsWith(EXPIRED) && expired !== undefined)
        questions.set(entry.step.slice(EXPIRED.length), { ...expired, answeredBy: entry, result: NO_ANSWER });
      const stored = parseResult(entry);
      if (stored?.question !== undefined)
        questions.set(entry.step, {
          question: stored.question,
          askedAt: undefined,
          answeredBy: undefined,
          result: undefined,
        });
    } else if (entry.kind === "note") {
      const note = parseAskedNote(entry.note);
      const question = note === undefined ? undefined : questions.get(note.asked);
      if (note !== undefined && question !== undefined) questions.set(note.asked, { ...question, askedAt: note.at });
    } else if (entry.kind === "joined") {
      const open = [...questions].find(
        ([, question]) => question.askedAt !== undefined && question.answeredBy === undefined,
      );
      if (open === undefined) continue;
      const [step, question] = open;
      const said = inboundOf(entry).map((message) => message.text);
      questions.set(step, { ...question, answeredBy: entry, result: { content: said.join("\n"), ok: true } });
    }
  }
  return questions;
}

const EXPIRED = "expired_";
/** The step that records that nobody answered a question in time. */
export const expiredStep = (asking: string): string => `${EXPIRED}${asking}`;

const NO_ANSWER: StoredResult = { content: "The person did not answer in time.", ok: false };

/** The note that a question was put to the person. */
export function askedNote(step: string, at: number): { asked: string; at: number } {
  return { asked: step, at };
}

function parseAskedNote(note: unknown): { asked: string; at: number } | undefined {
  if (typeof note !== "object" || note === null || !("asked" in note) || !("at" in note)) return undefined;
  return typeof note.asked === "string" && typeof note.at === "number" ? { asked: note.asked, at: note.at } : undefined;
}

export const modelStep = (number: number): string => `ai_call_${number}`;
export const toolStep = (turn: number, index: number): string => `tool_${turn}_${index}`;

/** The number of a model call's step, undefined for other steps. */
export function modelCallNumber(step: string): number | undefined {
  const match = /^ai_call_(\d+)$/.exec(step);
  return match === null ? undefined : Number(match[1]);
}

function stepsByName(run: RunRecord): Map<string, StepEntry> {
  return new Map(run.entries.flatMap((entry) => (entry.kind === "step" ? [[entry.step, entry] as const] : [])));
}

function parseReply(entry: StepEntry): StoredReply | undefined {
  const parsed = modelReplySchema.safeParse(entry.outcome.value);
  return parsed.success ? parsed.data : undefined;
}

function parseResult(entry: StepEntry | undefined): StoredResult | undefined {
  if (entry === undefined) return undefined;
  if (entry.outcome.error !== undefined) return { content: entry.outcome.error.message, ok: false };
  const parsed = toolResultSchema.safeParse(entry.outcome.value);
  return parsed.success ? parsed.data : undefined;
}
