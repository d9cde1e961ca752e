import type { ConversationId, LaneId, MessageId, RunId } from "../kernel/ids.ts";
import { endedLine, parseLines, stepLine } from "../engine/journal.ts";
import { RunLost } from "../engine/errors.ts";
import type { Clock } from "../kernel/ports.ts";
import type { Lanes } from "../store/lanes.ts";
import { chatLane } from "./lanes-of.ts";
import { inboundOfRun, partsOf, readRun, toolStep, type RunRecord } from "./runs.ts";
import { settle } from "./settle.ts";

export interface StopParts {
  readonly lanes: Lanes;
  readonly clock: Clock;
}

export interface StopRequest {
  readonly conversation: ConversationId;
  /** The first words of what the stopped run's people are told. */
  readonly opening: string;
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
  const lane = chatLane(request.conversation);
  for (;;) {
    const state = await lanes.look(lane);
    if (state.kind === "idle" || state.kind === "ready") return undefined;
    const lines = await lanes.readJournal(lane, state.kind === "run" ? state.token : undefined);
    const start = lines.findLastIndex((line) => line.startsWith(`>{"run":"${state.runId}"`));
    // The run moved between the two reads; look again.
    if (start < 0) continue;
    const run = readRun(state.runId, parseLines(lines.slice(start)));
    const { command } = request;
    const at = clock.now();
    const text = `${request.opening} ${describeDone(run)}`;
    const note = stepLine({
      step: command?.step ?? "stop",
      outcome: { value: { stopped: state.runId } },
      at,
      ms: 0,
      tries: 1,
    });
    const outcome = await lanes.cancel({
      lane,
      runId: state.runId,
      linesRead: lines.length,
      line: endedLine(state.runId, "stopped", at, text),
      effects: settle({
        conversation: request.conversation,
        lane,
        runId: state.runId,
        messageIds: [...inboundOfRun(run).map((message) => message.id), ...(command?.messageIds ?? [])],
        fate: { end: "stopped", steps: countSteps(run) },
        saying: { step: "stop", kind: "notice", text },
        at,
        keepMs: lanes.limits.recordMs,
      }),
      ...(command === undefined ? {} : { witness: { lane: command.lane, token: command.token, note } }),
    });
    if (outcome === "cancelled") return state.runId;
    if (outcome === "lost") throw new RunLost(`the run that asked to stop ${state.runId} was taken over`);
    // "changed" or "over": the run went on or ended meanwhile.
  }
}

/** One or two sentences on what a run had done before it ended early. */
export function describeDone(run: RunRecord): string {
  const begun = new Set(run.entries.flatMap((entry) => (entry.kind === "intent" ? [entry.step] : [])));
  const done: string[] = [];
  const unknown: string[] = [];
  for (const part of partsOf(run)) {
    if (part.kind !== "turn") continue;
    for (const [index, call] of part.turn.reply.toolCalls.entries()) {
      if (part.turn.results[index] !== undefined) done.push(call.name);
      else if (begun.has(toolStep(part.turn.number, index + 1))) unknown.push(call.name);
    }
  }
  const sentences = [done.length === 0 ? "Nothing had been done yet." : `Already done: ${listNames(done)}.`];
  if (unknown.length > 0) sentences.push(`Under way when it was stopped, outcome unknown: ${listNames(unknown)}.`);
  return sentences.join(" ");
}

/** How many model and tool calls a run has recorded. */
export function countSteps(run: RunRecord): number {
  return run.entries.filter((entry) => entry.kind === "step").length;
}

function listNames(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} (${count} times)` : name)).join(", ");
}
