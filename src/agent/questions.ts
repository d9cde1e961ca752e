import { deliveryId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import { noteLine } from "../engine/journal.ts";
import type { Ending, Run } from "../engine/run.ts";
import { conversationOf } from "./lanes-of.ts";
import { askedNote, openQuestions, type OpenQuestion, type RunRecord } from "./runs.ts";
import { say } from "./settle.ts";

/** A question that has no answer yet, with the step that asked it. */
export interface NextQuestion {
  readonly step: string;
  readonly question: OpenQuestion;
}

/** The oldest question of a run that still needs an answer. */
export function nextQuestion(run: RunRecord): NextQuestion | undefined {
  for (const [step, question] of openQuestions(run)) if (question.answeredBy === undefined) return { step, question };
  return undefined;
}

/** True when a question was put to the person so long ago that the run goes on without them. */
export function isExpired(
  { question }: NextQuestion,
  parts: { readonly clock: Clock; readonly limits: { readonly questionMs: number } },
): boolean {
  return question.askedAt !== undefined && question.askedAt + parts.limits.questionMs <= parts.clock.now();
}

/**
 * Parks the run until the person answers; nothing is held meanwhile. The question goes out in the same step as the
 * note that it was asked, so it is asked once. It wakes by itself when the time for an answer is over.
 */
export function askPerson(
  run: Run,
  { step, question }: NextQuestion,
  parts: { readonly clock: Clock; readonly limits: { readonly questionMs: number } },
): Ending {
  const now = parts.clock.now();
  const { ask, choices } = question.question;
  const park = { kind: "park", mail: true } as const;
  if (question.askedAt !== undefined)
    return { ...park, waitMs: Math.max(1, question.askedAt + parts.limits.questionMs - now) };
  return {
    ...park,
    waitMs: parts.limits.questionMs,
    lines: [noteLine(askedNote(step, now))],
    effects: say({
      id: deliveryId(run.id, step),
      conversationId: conversationOf(run.lane),
      kind: "question",
      text: ask,
      ...(choices === undefined ? {} : { choices: [...choices] }),
      answers: [],
      at: now,
    }),
  };
}
