import type { WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import type { Ending, Run } from "../engine/run.ts";
import { clearsHistory, parseCommand } from "./command-text.ts";
import { closeRun } from "./endings.ts";
import { forgetPerson, type ForgetParts } from "./privacy/forget-command.ts";
import { askPerson, isExpired } from "./questions.ts";
import { inboundOf, inboundOfRun, openQuestions, readRun, type RunRecord } from "./runs.ts";
import { toolResultSchema } from "./steps.ts";

export interface ChatCommandParts extends ForgetParts {
  readonly clock: Clock;
  readonly limits: { readonly questionMs: number; readonly keepMs: number };
  /** Deletes everything remembered for a person; returns how many entries there were. Safe to repeat. */
  readonly forgetMemory: (workspace: WorkspaceId) => Promise<number>;
}

type ChatCommand = (run: Run, message: InboundMessage, parts: ChatCommandParts) => Promise<Ending>;

/**
 * What a run does when its message is a command that starts the history anew. Such a command may also have come as the
 * answer to a question, when it was sent at the very moment in which the question was asked.
 */
export function findChatCommand(
  record: RunRecord,
): ((run: Run, parts: ChatCommandParts) => Promise<Ending>) | undefined {
  const answers = [...openQuestions(record).values()].flatMap(({ answeredBy }) =>
    answeredBy === undefined ? [] : inboundOf(answeredBy),
  );
  for (const message of [...inboundOfRun(record).slice(0, 1), ...answers]) {
    const command = commandOf(message.text);
    if (command !== undefined) return (run, parts) => command(run, message, parts);
  }
  return undefined;
}

function commandOf(text: string): ChatCommand | undefined {
  if (!clearsHistory(text)) return undefined;
  switch (parseCommand(text)?.name) {
    case "new":
      return startAnew;
    case "reset":
      return reset;
    case "privacy":
      return forgetPerson;
    default:
      return undefined;
  }
}

function startAnew(run: Run, _message: InboundMessage, parts: ChatCommandParts): Promise<Ending> {
  return Promise.resolve(
    close(run, parts, "drop", "This is a new conversation. What I was asked to remember is still there."),
  );
}

const ASK = "reset_question";
const CHOICES = ["Keep my memory", "Forget my memory too", "Cancel"];

/** Asks whether memory goes too, waits for the answer, then forgets what was chosen. */
async function reset(run: Run, message: InboundMessage, parts: ChatCommandParts): Promise<Ending> {
  const ask = "This starts the conversation anew. Should what I remember about you be forgotten as well?";
  await run.step(ASK, () =>
    Promise.resolve(toolResultSchema.parse({ content: ask, ok: true, question: { ask, choices: CHOICES } })),
  );
  const question = openQuestions(readRun(run.id, run.entries)).get(ASK);
  if (question !== undefined && question.answeredBy === undefined) {
    const open = { step: ASK, question };
    if (isExpired(open, parts)) return close(run, parts, "keep", "Nothing was changed: there was no answer.");
    return askPerson(run, open, parts);
  }
  // In a group anyone may have written next; nobody decides about the memory of another person.
  const said = question?.answeredBy === undefined ? [] : inboundOf(question.answeredBy);
  const own = said.filter((answer) => answer.workspaceId === message.workspaceId);
  switch (readChoice(own.map((answer) => answer.text).join(" "))) {
    case "keep":
      return close(run, parts, "drop", "The conversation starts anew. I kept what I remember about you.");
    case "forget": {
      const count = await run.step("forget_memory", () => parts.forgetMemory(message.workspaceId));
      return close(
        run,
        parts,
        "drop",
        `The conversation starts anew. I forgot ${countOf(count)} I remembered about you.`,
      );
    }
    case "cancel":
      return close(run, parts, "keep", "Nothing was changed.");
  }
}

/** Reads an answer to the question above; anything unclear changes nothing. */
export function readChoice(answer: string): "keep" | "forget" | "cancel" {
  const text = answer.toLowerCase().replaceAll("’", "'").trim();
  if (/\b(cancel|stop|no change)\b/.test(text)) return "cancel";
  const keep = /\bkeep\b/.test(text);
  const forget = /\b(forget|too|both|all|yes|everything)\b/.test(text);
  const negated = /\b(don't|do not|not|never)\b/.test(text);
  if (keep) return negated || /\bforget\b/.test(text) ? "cancel" : "keep";
  if (forget && !negated) return /\bno\b/.test(text) ? "cancel" : "forget";
  if (/^(no|nope)\b/.test(text) || /\b(don't|do not|not|never) forget\b/.test(text)) return "keep";
  return "cancel";
}

function countOf(entries: number): string {
  // None is also what a repetition after an interruption finds.
  if (entries === 0) return "everything";
  return entries === 1 ? "the one thing" : `the ${entries} things`;
}

function close(run: Run, parts: ChatCommandParts, journal: "keep" | "drop", text: string): Ending {
  return closeRun(run, { end: "done", journal, text, saying: { step: "command", kind: "notice", text } }, parts);
}
