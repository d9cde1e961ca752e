import { makeCard } from "../../src/agent/approvals/card.ts";
import { approvalNote, decisionLine } from "../../src/agent/approvals/journal.ts";
import { askedNote, expiredStep, modelStep, toolStep } from "../../src/agent/runs.ts";
import type { StepErrorCode } from "../../src/engine/errors.ts";
import {
  endedLine,
  intentLine,
  noteLine,
  parseLines,
  stepLine,
  tryFailedLine,
  type End,
  type JournalEntry,
} from "../../src/engine/journal.ts";
import { mailEntry } from "../../src/store/mail.ts";
import { parseConversationId, parseMessageId, parseRunId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import type { ApprovalCard, InboundMessage } from "../../src/kernel/messages.ts";

/** A message as it stands in a journal. */
export function message(id: string, text: string, more: Partial<InboundMessage> = {}): InboundMessage {
  return {
    id: parseMessageId(id),
    conversationId: parseConversationId("api:c"),
    workspaceId: parseWorkspaceId("user-1"),
    text,
    at: 1,
    ...more,
  };
}

export interface CallGiven {
  readonly id?: string;
  readonly name: string;
  readonly args?: string;
}

/** A message with what it says beside its id. */
type Given = { readonly id: string } & Readonly<Record<string, unknown>>;

/** Lines of a journal, written as the program writes them. */
export const line = {
  opened: (run: string, given: Given) => `>${mailOf(given, run)}`,
  joined: (given: Given) => `+${mailOf(given, `run-of-${given.id}`)}`,
  reply: (turn: number, text: string, calls: readonly CallGiven[] = []) =>
    step(modelStep(turn), {
      value: {
        text,
        toolCalls: calls.map(({ name, id = `${turn}-${name}`, args = "{}" }) => ({ id, name, args })),
        usage: { inputTokens: 10, outputTokens: 5 },
        model: "m",
      },
    }),
  result: (turn: number, index: number, content: string, ok = true) =>
    step(toolStep(turn, index), { value: { content, ok } }),
  failure: (turn: number, index: number, code: StepErrorCode) =>
    step(toolStep(turn, index), { error: { code, message: `it was ${code}` } }),
  question: (turn: number, index: number, ask: string, choices?: readonly string[]) =>
    step(toolStep(turn, index), { value: { content: ask, ok: true, question: { ask, ...(choices && { choices }) } } }),
  asked: (turn: number, index: number, at = 3) => noteLine(askedNote(toolStep(turn, index), at)),
  expired: (turn: number, index: number) => step(expiredStep(toolStep(turn, index)), { value: true }),
  approval: (turn: number, index: number) => noteLine(approvalNote(cardOf(turn, index), toolStep(turn, index), "hash")),
  decided: (turn: number, index: number, state: "approved" | "denied" | "expired") =>
    decisionLine(cardOf(turn, index).id, { state, by: "ann", at: 4, nonce: "n" }),
  refused: (turn: number, index: number) =>
    step(toolStep(turn, index), { value: { content: "denied", ok: false, refused: true } }),
  intent: (turn: number, index: number) => intentLine(toolStep(turn, index), 2),
  tryFailed: (name: string, tries: number) => tryFailedLine(name, "busy", 2, tries),
  /** A step of another kind. */
  step: (name: string, value: unknown) => step(name, { value }),
  ended: (run: string, end: End, text?: string) => endedLine(parseRunId(run), end, 9, text),
};

function mailOf(given: Given, run: string): string {
  const { id, ...rest } = given;
  return mailEntry({ id: parseMessageId(id), mode: "alone", body: JSON.stringify(rest) }, parseRunId(run)).slice(1);
}

function cardOf(turn: number, index: number): ApprovalCard {
  const askedOf = parseWorkspaceId("ann");
  const runId = parseRunId("r");
  const call = { runId, step: toolStep(turn, index), tool: "pay", args: { what: "tea" }, reason: "Because." };
  return makeCard({ ...call, askedOf, askedAt: 3, expireMs: 100 });
}

function step(name: string, outcome: Parameters<typeof stepLine>[0]["outcome"]): string {
  return stepLine({ step: name, outcome, at: 4, ms: 2, tries: 1 });
}

/** The entries of such lines. */
export const entriesOf = (...lines: readonly string[]): JournalEntry[] => parseLines(lines);
