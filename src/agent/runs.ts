import type { MessageId, RunId } from "../kernel/ids.ts";
import { inboundMessageSchema, type InboundMessage } from "../kernel/messages.ts";
import type { End, JournalEntry, StepEntry } from "../engine/journal.ts";
import { contentOf as contentOfMail, parseMailLine, type Mail } from "../store/mail.ts";
import { describeAttachment, messagesWithFiles } from "./attachments.ts";
import { clearsHistory } from "./command-text.ts";
import { modelReplySchema, toolResultSchema, type StoredReply, type StoredResult } from "./steps.ts";

/** One run of a conversation as its journal tells it. Everything shown, sent to a model or listed is read from this. */
export interface RunRecord {
  readonly runId: RunId;
  /** When it began with its first step; before that, when its message came. */
  readonly startedAt: number;
  readonly entries: readonly JournalEntry[];
  readonly ended: { readonly end: End; readonly at: number; readonly text: string | undefined } | undefined;
  /** A command such as /reset: shown to people, not to the model. */
  readonly command: boolean;
}

/** Splits a conversation's journal into its runs, oldest first. Lines outside any run are damage and left out. */
export function readRuns(entries: readonly JournalEntry[]): RunRecord[] {
  const runs: { runId: RunId; entries: JournalEntry[] }[] = [];
  let open: JournalEntry[] | undefined;
  for (const entry of entries) {
    if (entry.kind === "opened") {
      open = [entry];
      runs.push({ runId: entry.runId, entries: open });
    } else open?.push(entry);
    // What follows an end without an opening belongs to a run whose opening cannot be read, not to this one.
    if (entry.kind === "ended") open = undefined;
  }
  return runs.map(toRecord);
}

/** Reads one run from its own entries. */
export function readRun(runId: RunId, entries: readonly JournalEntry[]): RunRecord {
  return toRecord({ runId, entries });
}

function toRecord(run: { runId: RunId; entries: readonly JournalEntry[] }): RunRecord {
  const ended = run.entries.find((entry) => entry.kind === "ended");
  return {
    ...run,
    startedAt: startOf(run.entries),
    ended: ended === undefined ? undefined : { end: ended.end, at: ended.at, text: ended.text },
    command: run.entries.some((entry) => inboundOf(entry).some((message) => clearsHistory(message.text))),
  };
}

function startOf(entries: readonly JournalEntry[]): number {
  for (const entry of entries) {
    if (entry.kind === "step") return entry.at - entry.ms;
    if (entry.kind === "intent" || entry.kind === "try-failed") return entry.at;
  }
  return entries.flatMap(inboundOf)[0]?.at ?? 0;
}

/** The message of an opening or joining entry, if it can be read. */
export function inboundOf(entry: JournalEntry): InboundMessage[] {
  if (entry.kind !== "opened" && entry.kind !== "joined") return [];
  const message = inboundMessageSchema.safeParse(entry.message).data;
  return message === undefined ? [] : [message];
}

/** A message that waits in the inbox; undefined when it cannot be read. */
export function readMail(mail: Pick<Mail, "id" | "body">): InboundMessage | undefined {
  try {
    return inboundMessageSchema.safeParse(contentOfMail(mail)).data;
  } catch {
    return undefined;
  }
}

/** All messages a run answers, as far as they can be read. */
export function inboundOfRun(run: RunRecord): InboundMessage[] {
  return run.entries.flatMap(inboundOf);
}

/** All messages a run answers, with what became of their files. */
export function messagesOf(run: RunRecord): readonly InboundMessage[] {
  const withFiles = withFilesOf(run);
  return inboundOfRun(run).map(withFiles);
}

/** Puts what became of its files into a message of a run. */
export function withFilesOf(run: RunRecord): (message: InboundMessage) => InboundMessage {
  const messages = inboundOfRun(run);
  // Nearly no message has files.
  if (messages.every(({ attachments }) => attachments === undefined)) return (message) => message;
  const found = messagesWithFiles(messages, stepsByName(run));
  return (message) => found.get(message.id) ?? message;
}

/** The ids of all messages a run answers, readable or not: each of them is owed its answer. */
export function messageIdsOf(entries: readonly JournalEntry[]): MessageId[] {
  const ids = entries.flatMap((entry) => {
    if (entry.kind === "opened" || entry.kind === "joined") return [entry.id];
    // The id stands before what cannot be read.
    return entry.kind === "unreadable" ? (parseMailLine(entry.line)?.mail.id ?? []) : [];
  });
  return [...new Set(ids)];
}

/** What a person wrote, with a line for every file that came with it, and what the file says. */
export function contentOf({ text, attachments = [] }: InboundMessage): string {
  return [...(text === "" ? [] : [text]), ...attachments.map(describeAttachment)].join("\n");
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
  const answers = new Set([...asked.values()].map((question) => question.answeredBy));
  const withFiles = withFilesOf(run);
  const parts: RunPart[] = [];
  for (const entry of run.entries) {
    if (entry.kind === "step") {
      const number = modelCallNumber(entry.step);
      const reply = number === undefined ? undefined : parseReply(entry);
      if (number === undefined || reply === undefined) continue;
      const results = reply.toolCalls.map((_call, index) => {
        const name = toolStep(number, index + 1);
        return asked.get(name)?.result ?? parseResult(steps.get(afterToolStep(name)) ?? steps.get(name));
      });
      parts.push({ kind: "turn", turn: { number, reply, results } });
    } else if (!answers.has(entry)) {
      for (const message of inboundOf(entry)) parts.push({ kind: "message", message: withFiles(message) });
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
  const withFiles = withFilesOf(run);
  for (const entry of run.entries) {
    if (entry.kind === "step") {
      const expired = questions.get(entry.step.slice(EXPIRED.length));
      if (entry.step.startsWith(EXPIRED) && expired !== undefined)
        questions.set(entry.step.slice(EXPIRED.length), { ...expired, answeredBy: entry, result: NO_ANSWER });
      // Nearly no step asks something; a failed parse of every reply would cost more than all the rest.
      const stored = mayAsk(entry.outcome.value) ? parseResult(entry) : undefined;
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
      const said = inboundOf(entry).map((message) => contentOf(withFiles(message)));
      questions.set(step, { ...question, answeredBy: entry, result: { content: said.join("\n"), ok: true } });
    }
  }
  return questions;
}

function mayAsk(value: unknown): boolean {
  return typeof value === "object" && value !== null && "question" in value;
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

/** The step that notes that the conversation's model is not there any more, with the sentence for the person. */
export const MODEL_GONE = "model_gone";
export const modelStep = (number: number): string => `ai_call_${number}`;
/** The steps around a model call that a budget did not allow: what was proposed, what was put up, what was done. */
export const proposalStep = (turn: number): string => `proposal_${turn}`;
export const extensionStep = (turn: number): string => `extension_${turn}`;
export const extendedStep = (turn: number): string => `extended_${turn}`;
export const toolStep = (turn: number, index: number): string => `tool_${turn}_${index}`;

/** The step that records what hooks decided about a tool call before it began. */
export const beforeToolStep = (step: string): string => `before_${step}`;
/** The step that records what hooks made of a tool call's result; it stands for the result itself. */
export const afterToolStep = (step: string): string => `after_${step}`;

/** The number of a model call's step, undefined for other steps. */
export function modelCallNumber(step: string): number | undefined {
  const match = /^ai_call_(\d+)$/.exec(step);
  return match === null ? undefined : Number(match[1]);
}

/** The recorded steps of a run by their names. */
export function stepsByName(run: RunRecord): Map<string, StepEntry> {
  return new Map(run.entries.flatMap((entry) => (entry.kind === "step" ? [[entry.step, entry] as const] : [])));
}

/** What the model is told of a call that must not be repeated and was interrupted. */
const OUTCOME_UNKNOWN =
  "Interrupted: this call was begun and nobody knows whether it took effect. It was not repeated. " +
  "Say so, and do not repeat it unless the person asks.";

function parseReply(entry: StepEntry): StoredReply | undefined {
  const parsed = modelReplySchema.safeParse(entry.outcome.value);
  return parsed.success ? parsed.data : undefined;
}

/** The result of a tool call as the model reads it; undefined when there is none. */
export function parseResult(entry: StepEntry | undefined): StoredResult | undefined {
  if (entry === undefined) return undefined;
  const { error, value } = entry.outcome;
  if (error?.code === "outcome-unknown") return { content: OUTCOME_UNKNOWN, ok: false };
  return toolResultSchema.safeParse(error === undefined ? value : { content: error.message, ok: false }).data;
}
