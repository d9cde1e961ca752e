import type { InboundMessage } from "../../kernel/messages.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import type { RetryPolicy } from "../../engine/backoff.ts";
import { StepFailed } from "../../engine/errors.ts";
import type { Ending, Run } from "../../engine/run.ts";
import type { Receipt } from "../../store/forgetting.ts";
import { closeRun } from "../endings.ts";
import { createHistoryReader, isShared } from "../history.ts";
import { conversationOf } from "../lanes-of.ts";
import { askPerson, isExpired } from "../questions.ts";
import { inboundOf, openQuestions, readRun } from "../runs.ts";
import { toolResultSchema } from "../steps.ts";
import type { Privacy } from "./forget.ts";

export interface ForgetParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: { readonly questionMs: number; readonly keepMs: number };
  readonly privacy?: Pick<Privacy, "forget">;
}

/** The step that asks whether everything should be deleted. */
export const FORGET_QUESTION = "forget_question";
/** While somebody else is being answered in a shared conversation it is waited for, some minutes in all. */
const PATIENCE: RetryPolicy = { tries: 10, baseMs: 300, maxMs: 60_000 };
const CHOICES = ["Delete everything", "Cancel"];

/** `/privacy forget`: asks whether it is meant, waits for the answer, deletes, and answers with the receipt. */
export async function forgetPerson(run: Run, message: InboundMessage, parts: ForgetParts): Promise<Ending> {
  const { privacy } = parts;
  if (privacy === undefined) return close(run, parts, "keep", "Nothing can be deleted by a command here.");
  const earlier = createHistoryReader(parts.log)(run.history, Number.MAX_SAFE_INTEGER).runs;
  if (isShared([...earlier, readRun(run.id, run.entries)]))
    return close(run, parts, "keep", "Others read along here. Please send /privacy forget in a direct chat with me.");
  const ask =
    "This deletes everything I keep about you: your memory, conversations, credentials, settings and whatever else " +
    "stands in /privacy export. It cannot be undone. Shall I?";
  await run.step(FORGET_QUESTION, () =>
    Promise.resolve(toolResultSchema.parse({ content: ask, ok: true, question: { ask, choices: CHOICES } })),
  );
  const question = openQuestions(readRun(run.id, run.entries)).get(FORGET_QUESTION);
  if (question !== undefined && question.answeredBy === undefined) {
    const open = { step: FORGET_QUESTION, question };
    if (isExpired(open, parts)) return close(run, parts, "keep", "Nothing was deleted: there was no answer.");
    return askPerson(run, open, parts);
  }
  const said = question?.answeredBy === undefined ? [] : inboundOf(question.answeredBy);
  const own = said.filter((answer) => answer.workspaceId === message.workspaceId);
  if (!isConsent(own.map((answer) => answer.text).join(" "))) return close(run, parts, "keep", "Nothing was deleted.");
  try {
    const request = { by: "person", except: conversationOf(run.lane) } as const;
    const receipt = await run.step(
      "forget_person",
      ({ key }) => privacy.forget(message.workspaceId, { ...request, operation: key }),
      { retry: PATIENCE },
    );
    return close(run, parts, "drop", describeReceipt(receipt));
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    const text = `Not everything could be deleted yet: ${error.message}. Please send /privacy forget again later.`;
    return close(run, parts, "keep", text);
  }
}

/** Only these words delete; anything else changes nothing. Pure. */
function isConsent(answer: string): boolean {
  return /^(yes[,.!]? *)?delete everything[.!]*$/i.test(answer.trim());
}

/** The receipt as its person reads it. Pure. */
function describeReceipt({ deleted, kept, interrupted }: Receipt): string {
  const counts = Object.entries(deleted).filter(([, count]) => count > 0);
  return [
    counts.length === 0 ? "There was nothing to delete." : "I deleted what I kept about you:",
    ...counts.map(([kind, count]) => `- ${kind}: ${count}`),
    ...(interrupted
      ? ["The deletion was interrupted and has been finished; the counts are from before it began."]
      : []),
    ...(kept.length === 0 ? [] : ["What stays for a while:", ...kept.map((sentence) => `- ${sentence}`)]),
  ].join("\n");
}

function close(run: Run, parts: ForgetParts, journal: "keep" | "drop", text: string): Ending {
  return closeRun(run, { end: "done", journal, text, saying: { step: "command", kind: "notice", text } }, parts);
}
