import type { ConversationId, LaneId, MessageId, RunId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import { RunLost } from "../engine/errors.ts";
import { endedLine, opensRun, parseLines, stepLine } from "../engine/journal.ts";
import type { Lanes } from "../store/lanes.ts";
import { filesMade } from "./files-made.ts";
import { chatLane } from "./lanes-of.ts";
import { countSteps, describeDone } from "./outcomes.ts";
import { messageIdsOf, readRun } from "./runs.ts";
import { settle } from "./settle.ts";

export interface StopParts {
  readonly lanes: Lanes;
  readonly clock: Clock;
}

export interface StopRequest {
  readonly conversation: ConversationId;
  /** The first words of what the stopped run's people are told. */
  readonly opening: string;
  /** Stops only a run that this message waits behind, never its own or a later one. */
  readonly inFavourOf?: MessageId;
  /** The run of a command that asks for it: it is answered by the same delivery and notes the stop in the same step. */
  readonly command?: {
    readonly lane: LaneId;
    readonly token: string;
    readonly messageIds: readonly MessageId[];
    readonly step: string;
  };
}

/**
 * Ends the current run of a conversation, whoever holds it, and says what had already been done. Needs no lease: the
 * holder finds itself fenced off. Returns the stopped run, or undefined when nothing was running.
 */
export async function stopRun(request: StopRequest, { lanes, clock }: StopParts): Promise<RunId | undefined> {
  const { conversation, inFavourOf, command } = request;
  const lane = chatLane(conversation);
  for (;;) {
    const state = await lanes.look(lane);
    if (state.kind === "idle" || state.kind === "ready") return undefined;
    // Asked after the look: a message that still waits now has waited behind the run that was seen.
    if (inFavourOf !== undefined && !(await lanes.waiting(lane)).some((mail) => mail.id === inFavourOf))
      return undefined;
    const { runId } = state;
    const lines = await lanes.readJournal(lane, state.kind === "run" ? state.token : undefined);
    // Without an opening the run moved between the two reads, which `cancel` notices, or its journal was erased by hand.
    const start = lines.findLastIndex((line) => opensRun(line, runId));
    const run = readRun(runId, start < 0 ? [] : parseLines(lines.slice(start)));
    const at = clock.now();
    const text = `${request.opening} ${describeDone(run)}`;
    const outcome = await lanes.cancel({
      lane,
      runId,
      linesRead: lines.length,
      line: endedLine(runId, "stopped", at, text),
      effects: settle({
        conversation,
        lane,
        runId,
        messageIds: [...messageIdsOf(run.entries), ...(command?.messageIds ?? [])],
        fate: { end: "stopped", steps: countSteps(run) },
        saying: { step: "stop", kind: "notice", text },
        files: filesMade(run),
        at,
        keepMs: lanes.limits.recordMs,
      }),
      ...(command === undefined ? {} : { witness: witnessOf(command, runId, at) }),
    });
    if (outcome === "cancelled") return runId;
    if (outcome === "lost") throw new RunLost(`the run that asked to stop ${runId} was taken over`);
    // "changed" or "over": the run went on or ended meanwhile.
  }
}

function witnessOf({ lane, token, step }: NonNullable<StopRequest["command"]>, stopped: RunId, at: number) {
  return { lane, token, note: stepLine({ step, outcome: { value: { stopped } }, at, ms: 0, tries: 1 }) };
}
