import { describeError, InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import { StepFailed } from "../engine/errors.ts";
import type { Run, StepContext } from "../engine/run.ts";
import type { HookRunner } from "../hooks/run-hooks.ts";
import type { ToolCall } from "../models/contract.ts";
import type { Tool, ToolContext } from "../tools/contract.ts";
import {
  cutWithReference,
  parseToolArgs,
  renderToolFailure,
  renderToolResult,
  renderWhole,
  unknownTool,
} from "../tools/result.ts";
import type { ResultStore } from "../store/results.ts";
import type { Toolbox } from "../tools/toolbox.ts";
import { judgeCall, type WaitingCall } from "./approvals/gate.ts";
import type { ApprovalPolicy } from "./approvals/policy.ts";
import { decideCall, reviewResult } from "./hooked-calls.ts";
import { bringsOutsideText } from "./outside-text.ts";
import { describeRepeat, judgeRepeat, type MadeCall, type RepeatVerdict } from "./repeated-calls.ts";
import { modelStep, partsOf, readRun, toolStep } from "./runs.ts";
import type { StoredResult } from "./steps.ts";

export interface ToolCallParts {
  readonly toolbox: Toolbox;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls taken from one reply; the rest are refused. */
  readonly maxCalls: number;
  /** The longest result the model is shown at once, in characters. */
  readonly maxResultChars: number;
  /** Where longer ones are kept whole. */
  readonly results: Pick<ResultStore, "keep">;
  /** Told when a call begins, for progress lines. */
  readonly onBegin: (step: string, tool: string) => void;
  readonly hooks?: HookRunner;
  readonly approvals: () => ApprovalPolicy;
}

/** The calls of one model turn. */
export interface Turn {
  readonly number: number;
  readonly calls: readonly ToolCall[];
  /** Where text from outside came from that the model had read when it made them. */
  readonly outside: readonly string[];
}

/**
 * Does the calls of one model turn, each as its own step. Neighbouring calls that only read run at the same time, all
 * others one after the other in the model's order. A call that fails for good, or is refused, becomes a result the model
 * can read. Returns the calls that wait for an approval: those before the first of them and those that may run beside it
 * are done; what stands behind it waits with it, because the model chose that order. Empty when all are done.
 */
export async function callTools(
  run: Run,
  { number, calls, outside }: Turn,
  person: { readonly workspaceId: WorkspaceId; readonly conversationId: ConversationId },
  parts: ToolCallParts,
): Promise<readonly WaitingCall[]> {
  const taken = calls.slice(0, parts.maxCalls);
  // What the model has read already no hook changes any more, however new it is.
  const hooks = hasStep(run, modelStep(number + 1)) ? undefined : parts.hooks;
  const { hooks: _hooks, ...others } = parts;
  const callParts = hooks === undefined ? others : { ...others, hooks };
  const before = turnsBefore(run, number);
  const waiting: WaitingCall[] = [];
  for (const group of groupCalls(taken, (name) => parts.toolbox.find(name)?.effect === "read")) {
    // Behind a call that waits nothing is done; only what else needs an approval is found, so that all are asked at once.
    const isHeld = waiting.length > 0;
    const passed = await Promise.all(
      group.map(async ({ call, index }) => {
        const step = toolStep(number, index + 1);
        const repeat = judgeRepeat(before, call);
        if (repeat.kind === "do")
          return recordFailure(passCall(run, { step, call, outside, isHeld }, person, callParts));
        if (!isHeld) await run.step<StoredResult>(step, () => Promise.resolve(refusedRepeat(repeat)));
        return undefined;
      }),
    );
    waiting.push(...passed.filter((each) => each !== undefined));
  }
  if (waiting.length > 0) return waiting;
  for (let index = taken.length; index < calls.length; index++)
    await run.step(toolStep(number, index + 1), () => Promise.resolve(refused(parts.maxCalls)));
  return [];
}

/** Takes one call through the hooks and the gate, in this order: what is approved is what will be done. */
async function passCall(
  run: Run,
  given: {
    readonly step: string;
    readonly call: ToolCall;
    readonly outside: readonly string[];
    readonly isHeld: boolean;
  },
  person: { readonly workspaceId: WorkspaceId; readonly conversationId: ConversationId },
  parts: ToolCallParts,
): Promise<WaitingCall | undefined> {
  const { step, outside, isHeld } = given;
  const tool = parts.toolbox.find(given.call.name);
  const hooked =
    tool === undefined
      ? { call: given.call }
      : await decideCall(run, step, { call: given.call, tool }, person, parts.hooks);
  const passage =
    "refused" in hooked
      ? ({ kind: "refuse", result: hooked.refused } as const)
      : judgeCall(step, hooked.call, {
          ...person,
          run: readRun(run.id, run.entries),
          outside,
          toolbox: parts.toolbox,
          policy: parts.approvals(),
        });
  if (passage.kind === "wait") return passage.waiting;
  if (isHeld) return undefined;
  if (passage.kind === "refuse") await run.step<StoredResult>(step, () => Promise.resolve(passage.result));
  else if ("call" in hooked) await callTool(run, step, hooked.call, person, parts);
  return undefined;
}

function hasStep(run: Run, name: string): boolean {
  return run.entries.some((entry) => entry.kind === "step" && entry.step === name);
}

/** The first call of a turn that has been made, and refused, so often that the run should end; undefined for none. */
export function findEndlessRepeat(
  run: Run,
  turn: number,
  calls: readonly ToolCall[],
): { readonly name: string } | undefined {
  const before = turnsBefore(run, turn);
  return calls.find((call) => judgeRepeat(before, call).kind === "stop");
}

/** What the turns before this one called, and what came of it. */
function turnsBefore(run: Run, turn: number): MadeCall[][] {
  return partsOf(readRun(run.id, run.entries)).flatMap((part) => {
    if (part.kind !== "turn" || part.turn.number >= turn) return [];
    const { reply, results } = part.turn;
    return [
      reply.toolCalls.map(({ name, args }, index) => {
        const result = results[index];
        return { name, args, result: result?.repeated === true ? "refused" : { content: result?.content ?? "" } };
      }),
    ];
  });
}

function refusedRepeat(repeat: Exclude<RepeatVerdict, { kind: "do" }>): StoredResult {
  return { ...failure(new InvalidInput(describeRepeat(repeat), { code: "repeated_call" })), repeated: true };
}

interface NumberedCall {
  readonly call: ToolCall;
  readonly index: number;
}

/** Puts neighbouring calls that may run at the same time in one group. */
export function groupCalls(calls: readonly ToolCall[], mayOverlap: (name: string) => boolean): NumberedCall[][] {
  const groups: NumberedCall[][] = [];
  let open = false;
  for (const [index, call] of calls.entries()) {
    const overlaps = mayOverlap(call.name);
    const last = groups.at(-1);
    if (overlaps && open && last !== undefined) last.push({ call, index });
    else groups.push([{ call, index }]);
    open = overlaps;
  }
  return groups;
}

async function callTool(
  run: Run,
  step: string,
  call: ToolCall,
  person: { readonly workspaceId: WorkspaceId; readonly conversationId: ConversationId },
  parts: ToolCallParts,
): Promise<void> {
  const tool = parts.toolbox.find(call.name);
  if (tool === undefined) {
    await run.step<StoredResult>(step, async () => failure(unknownTool(call.name, parts.toolbox.list())));
    return;
  }
  await run.step<StoredResult>(
    step,
    async (context) => {
      parts.onBegin(step, tool.name);
      return runTool(tool, call, { ...person, runId: run.id }, context, parts);
    },
    { effect: tool.effect === "once" ? "once" : "repeat" },
  );
  await reviewResult(run, step, { call, tool }, person, parts.hooks);
}

/** The failure stands in the journal, where the model's next context finds it. */
async function recordFailure<T>(calling: Promise<T>): Promise<T | undefined> {
  try {
    return await calling;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return undefined;
  }
}

function refused(maxCalls: number): StoredResult {
  const message = `Not done: at most ${maxCalls} tool calls are taken from one reply. Call again what is still needed.`;
  return failure(new InvalidInput(message, { code: "too_many_calls" }));
}

async function runTool(
  tool: Tool,
  call: ToolCall,
  who: Pick<ToolContext, "workspaceId" | "conversationId" | "runId">,
  step: StepContext,
  parts: Pick<ToolCallParts, "clock" | "log" | "maxResultChars" | "results">,
): Promise<StoredResult> {
  const { clock, log } = parts;
  const context: ToolContext = {
    ...who,
    idempotencyKey: step.key,
    attempt: step.attempt,
    signal: step.signal,
    clock,
    log: log.with({ tool: tool.name }),
  };
  const label = bringsOutsideText(tool) ? { from: tool.name } : {};
  try {
    const outcome = await tool.run(parseToolArgs(tool.name, call.args), context);
    if (outcome.kind === "result") {
      const { value, files = [] } = outcome;
      const content = await capped(renderWhole(value), context, parts);
      return { content, ok: true, ...label, ...(files.length === 0 ? {} : { files: [...files] }) };
    }
    const { ask, choices } = outcome.question;
    const question = choices === undefined ? { ask } : { ask, choices: [...choices] };
    return { content: ask, ok: true, question, ...label };
  } catch (error) {
    step.signal.throwIfAborted();
    // A passing failure of a repeatable call is tried again by the engine; anything else the model gets to read.
    if (tool.effect !== "once" && step.attempt < TOOL_TRIES && passesSoon(error)) throw error;
    if (!(error instanceof OutsideError) && !(error instanceof InvalidInput))
      log.warn({ tool: tool.name, error: describeError(error) }, "a tool threw");
    return { ...failure(error), ...label };
  }
}

/** What is too long for the journal is kept whole beside it, before the result itself is recorded. */
async function capped(
  text: string,
  { workspaceId, idempotencyKey: key, log }: ToolContext,
  { maxResultChars, results }: Pick<ToolCallParts, "maxResultChars" | "results">,
): Promise<string> {
  if (text.length <= maxResultChars) return text;
  try {
    const { reference, chars } = await results.keep(workspaceId, { key, text });
    return cutWithReference(text, maxResultChars, { reference, keptChars: chars });
  } catch (error) {
    // What the tool did is done: the beginning of its result is better than none.
    log.warn({ error: describeError(error) }, "a long result could not be kept whole");
    return renderToolResult(text, maxResultChars);
  }
}

/** Tries of a repeatable tool call whose failure may pass; the model then reads the last failure. */
const TOOL_TRIES = 3;
/** The longest wait a tool may ask for before another try, milliseconds; the model may know a better way. */
const MAX_TOOL_WAIT_MS = 60_000;

function passesSoon(error: unknown): boolean {
  return error instanceof OutsideError && error.retry.kind === "after" && (error.retry.ms ?? 0) <= MAX_TOOL_WAIT_MS;
}

function failure(error: unknown): StoredResult {
  return { content: renderToolFailure(error), ok: false };
}
