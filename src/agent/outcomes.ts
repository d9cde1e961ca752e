import { approvalsOf } from "./approvals/journal.ts";
import { openQuestions, parseResult, partsOf, stepsByName, toolStep, type RunRecord } from "./runs.ts";
import type { StoredResult } from "./steps.ts";

/** What became of one tool call of a run; `begun` may have taken effect, `asked`, `refused` and `open` were never begun. */
type CallState = "done" | "failed" | "asked" | "refused" | "begun" | "open";

/** One or two sentences on what a run had done before it ended early. */
export function describeDone(run: RunRecord): string {
  const calls = callsOf(run);
  const named = (state: CallState) => listNames(calls.filter((call) => call.state === state).map((call) => call.name));
  const [done, failed, refused, begun] = [named("done"), named("failed"), named("refused"), named("begun")];
  const sentences = [
    ...(done === "" ? [] : [`Already done: ${done}.`]),
    ...(failed === "" ? [] : [`Tried without success: ${failed}.`]),
    ...(refused === "" ? [] : [`Not approved and not done: ${refused}.`]),
    ...(begun === "" ? [] : [`Under way when it was stopped, outcome unknown: ${begun}.`]),
  ];
  return sentences.length === 0 ? "Nothing had been done yet." : sentences.join(" ");
}

/**
 * Tells the person of calls that must not be repeated and were interrupted: they hear of them whatever the model says.
 * Undefined when there are none.
 */
export function warnUnknown(run: RunRecord): string | undefined {
  const begun = begunSteps(run);
  if (begun.size === 0) return undefined;
  const steps = stepsByName(run);
  const names = callsOf(run)
    .filter(({ step }) => {
      const entry = steps.get(step);
      return entry === undefined ? begun.has(step) : entry.outcome.error?.code === "outcome-unknown";
    })
    .map((call) => call.name);
  if (names.length === 0) return undefined;
  return `Please check: ${listNames(names)} was interrupted and may or may not have taken effect. It was not repeated.`;
}

/** How many model and tool calls a run has recorded. */
export function countSteps(run: RunRecord): number {
  return run.entries.filter((entry) => entry.kind === "step").length;
}

/** Names in the order they first come, each once, with how often when that is more than once. */
export function listNames(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} (${count} times)` : name)).join(", ");
}

interface CallOutcome {
  readonly step: string;
  readonly name: string;
  readonly state: CallState;
}

function callsOf(run: RunRecord): CallOutcome[] {
  const steps = stepsByName(run);
  const questions = openQuestions(run);
  const approvals = approvalsOf(run);
  const begun = begunSteps(run);
  const calls: CallOutcome[] = [];
  for (const part of partsOf(run)) {
    if (part.kind !== "turn") continue;
    // Calls run in order and only some note that they begin: the first without a result may be under way.
    let isNext = true;
    for (const [index, { name }] of part.turn.reply.toolCalls.entries()) {
      const step = toolStep(part.turn.number, index + 1);
      const entry = steps.get(step);
      const approval = approvals.get(step);
      let state: CallState;
      if (questions.has(step)) state = "asked";
      else if (approval !== undefined && entry === undefined && approval.decision?.state !== "approved") {
        state = "asked";
        // What stands behind it waits with it.
        isNext = false;
      } else if (entry?.outcome.error?.code === "outcome-unknown") state = "begun";
      else if (entry !== undefined) state = stateOf(parseResult(entry));
      else {
        state = isNext || begun.has(step) ? "begun" : "open";
        isNext = false;
      }
      calls.push({ step, name, state });
    }
  }
  return calls;
}

function stateOf(result: StoredResult | undefined): CallState {
  if (result?.ok === true) return "done";
  return result?.refused === true ? "refused" : "failed";
}

function begunSteps(run: RunRecord): Set<string> {
  return new Set(run.entries.flatMap((entry) => (entry.kind === "intent" ? [entry.step] : [])));
}
