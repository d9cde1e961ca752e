import type { Clock, Log } from "../kernel/ports.ts";
import { isScheduled } from "../kernel/schedules.ts";
import type { End } from "../engine/journal.ts";
import type { Ending, Run } from "../engine/run.ts";
import type { ModelReply } from "../models/contract.ts";
import { filesMade } from "./files-made.ts";
import { conversationOf } from "./lanes-of.ts";
import { countSteps, warnUnknown } from "./outcomes.ts";
import { MODEL_GONE, messageIdsOf, modelStep, partsOf, readRun, stepsByName } from "./runs.ts";
import { settle, type Saying } from "./settle.ts";

export interface EndingParts {
  readonly clock: Clock;
  /** How long the fate of messages is kept, milliseconds. */
  readonly limits: { readonly keepMs: number };
}

/** Ends a run with the model's last reply. */
export function answer(
  run: Run,
  turn: number,
  reply: Pick<ModelReply, "text" | "lengthLimited">,
  parts: EndingParts,
): Ending {
  const notes = [warning(run), ...noticesOf(run)].filter((note) => note !== undefined);
  // A scheduled task that finds nothing to report says nothing; what must be known is said all the same.
  if (notes.length === 0 && isSilence(reply.text) && messageIdsOf(run.entries).every(isScheduled))
    return closeRun(run, { end: "silent" }, parts);
  const text = join(reply.text, reply.lengthLimited === true ? CUT_OFF : undefined, ...notes);
  return closeRun(
    run,
    {
      end: "done",
      // The reply is in the journal; what people saw is noted when it is more than that.
      ...(text === reply.text ? {} : { text }),
      saying: { step: modelStep(turn), kind: "answer", text },
    },
    parts,
  );
}

/** What the model answers to a scheduled task to stay silent. */
export const SILENCE = "[silent]";

function isSilence(text: string): boolean {
  return text.trim().toLowerCase().replace(/[.!]$/, "") === SILENCE;
}

/** What the model calls of the run gave the person to read, each once. */
function noticesOf(run: Run): string[] {
  const turns = partsOf(readRun(run.id, run.entries)).flatMap((part) => (part.kind === "turn" ? [part.turn] : []));
  const gone = stepsByName(readRun(run.id, run.entries)).get(MODEL_GONE)?.outcome.value;
  const notices = turns.flatMap(({ reply }) => reply.notices ?? []);
  return [...new Set([...(typeof gone === "string" ? [gone] : []), ...notices])];
}

const CUT_OFF = "(This answer is not complete: the model reached its length limit.)";

/** Ends a run with one plain sentence and an id by which an administrator finds the run. */
export function fail(
  run: Run,
  { code, sentence }: { readonly code: string; readonly sentence: string },
  parts: EndingParts & { readonly log: Log },
): Ending {
  const text = join(`${sentence} (error ${run.id})`, warning(run));
  parts.log.warn({ run: run.id, lane: run.lane, code }, "a run failed");
  const error = { code, message: text };
  return closeRun(run, { end: "failed", text, error, saying: { step: "failed", kind: "error", text } }, parts);
}

/** How a run ends. */
export interface Closing {
  readonly end: End;
  readonly error?: { readonly code: string; readonly message: string };
  /** What people saw, for the journal, when it is not the value of the last step. */
  readonly text?: string;
  /** Absent only when another delivery has answered already. */
  readonly saying?: Saying;
  readonly journal?: "keep" | "drop";
}

/** Ends a run: says what is to be said, and notes with every message it answers what became of it. */
export function closeRun(run: Run, closing: Closing, { clock, limits }: EndingParts): Ending {
  const { end, error, text, saying, journal } = closing;
  return {
    kind: "finish",
    end,
    ...(text === undefined ? {} : { text }),
    ...(journal === undefined ? {} : { journal }),
    effects: settle({
      conversation: conversationOf(run.lane),
      lane: run.lane,
      runId: run.id,
      messageIds: messageIdsOf(run.entries),
      fate: { end, steps: countSteps(readRun(run.id, run.entries)), ...(error === undefined ? {} : { error }) },
      ...(saying === undefined ? {} : { saying }),
      files: filesMade(run),
      at: clock.now(),
      keepMs: limits.keepMs,
    }),
  };
}

function warning(run: Run): string | undefined {
  return warnUnknown(readRun(run.id, run.entries));
}

function join(...paragraphs: readonly (string | undefined)[]): string {
  return paragraphs.filter((paragraph) => paragraph !== undefined).join("\n\n");
}
