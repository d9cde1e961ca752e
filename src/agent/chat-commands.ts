import type { WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import { noteLine } from "../engine/journal.ts";
import type { Ending, Run } from "../engine/run.ts";
import { parseCommand } from "./command-text.ts";
import { conversationOf } from "./lanes-of.ts";
import { askPerson, isExpired } from "./questions.ts";
import { COMMAND_NOTE, inboundOf, openQuestions, readRun } from "./runs.ts";
import { settle } from "./settle.ts";
import { toolResultSchema } from "./steps.ts";

export interface ChatCommandParts {
  readonly clock: Clock;
  readonly limits: { readonly questionMs: number; readonly keepMs: number };
  /** Deletes everything remembered for a person; returns how many entries there were. Safe to repeat. */
  readonly forgetMemory: (workspace: WorkspaceId) => Promise<number>;
}

type ChatCommand = (run: Run, message: InboundMessage, parts: ChatCommandParts) => Promise<Ending>;

/** The command that a message of the conversation is, if it is one that starts the history anew. */
export function findChatCommand(text: string): ChatCommand | undefined {
  switch (parseCommand(text)?.name) {
    case "new":
      return startAnew;
    case "reset":
      return reset;
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
  const said = question?.answeredBy === undefined ? [] : inboundOf(question.answeredBy).map((each) => each.text);
  switch (readChoice(said.join(" "))) {
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
  const text = answer.toLowerCase();
  if (/\b(cancel|stop|no change)\b/.test(text)) return "cancel";
  if (/\b(forget|too|both|all|yes|everything)\b/.test(text) && !/\b(keep|don't|do not|not)\b/.test(text))
    return "forget";
  if (/\b(keep|no)\b/.test(text)) return "keep";
  return "cancel";
}

function countOf(entries: number): string {
  return entries === 1 ? "the one thing" : `the ${entries} things`;
}

function close(run: Run, { clock, limits }: ChatCommandParts, journal: "keep" | "drop", text: string): Ending {
  const conversation = conversationOf(run.lane);
  const record = readRun(run.id, run.entries);
  return {
    kind: "finish",
    end: "done",
    text,
    journal,
    lines: [noteLine(COMMAND_NOTE)],
    effects: settle({
      conversation,
      lane: run.lane,
      runId: run.id,
      messageIds: record.entries.flatMap(inboundOf).map((each) => each.id),
      fate: { end: "done", steps: 0 },
      saying: { step: "command", kind: "notice", text },
      at: clock.now(),
      keepMs: limits.keepMs,
    }),
  };
}
