import { z } from "zod";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import { InvalidInput } from "../kernel/errors.ts";
import type { Run } from "../engine/run.ts";
import type { HookRunner } from "../hooks/run-hooks.ts";
import type { ModelReply, ToolCall } from "../models/contract.ts";
import { parseToolArgs, renderToolFailure } from "../tools/result.ts";
import type { Tool } from "../tools/contract.ts";
import { askModel, type AskParts } from "./ask-model.ts";
import { conversationOf } from "./lanes-of.ts";
import { afterToolStep, beforeToolStep, stepsByName, parseResult, readRun } from "./runs.ts";
import type { StoredResult } from "./steps.ts";

/** Whose call it is. */
export interface CallerOf {
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
}

/**
 * Asks the model for one step, with the hooks before and after it. What comes of both is the step's one result: a replay
 * from the journal asks neither again. A refusal is the answer.
 */
export async function askThroughHooks(
  run: Run,
  request: Parameters<typeof askModel>[1],
  parts: AskParts & { readonly hooks?: HookRunner },
): Promise<ModelReply> {
  const { hooks } = parts;
  if (hooks === undefined) return askModel(run, request, parts);
  const { signal, workspaceId, step } = request;
  const place = { workspaceId, conversationId: conversationOf(run.lane), runId: run.id, signal };
  const tools = parts.toolbox.list().map(({ name }) => name);
  const decision = await hooks.beforeModel(place, { messages: request.messages, tools });
  if (decision.kind === "refused")
    return { text: decision.sentence, toolCalls: [], usage: { inputTokens: 0, outputTokens: 0 }, model: "none" };
  let text = "";
  const onText = (delta: string) => {
    text += delta;
    hooks.tell("onRunPartial", { ...withoutSignal(place), step, text });
  };
  const reply = await askModel(
    run,
    { ...request, messages: decision.value, ...(hooks.has("onRunPartial") ? { onText } : {}) },
    parts,
  );
  const { toolCalls, model } = reply;
  return { ...reply, text: await hooks.afterModel(place, { text: reply.text, toolCalls, model }) };
}

function withoutSignal({ workspaceId, conversationId, runId }: CallerOf & { readonly runId: Run["id"] }) {
  return { workspaceId, conversationId, runId };
}

const decisionSchema = z.union([
  z.object({ args: z.string() }),
  z.object({ refused: z.string() }),
  z.object({ unchanged: z.literal(true) }),
]);

/**
 * What the hooks decide about a tool call: the call to make, or the result that says why it is not made. The decision is
 * a step of its own, recorded before the call begins, so a replay neither asks again nor decides otherwise.
 */
export async function decideCall(
  run: Run,
  step: string,
  { call, tool }: { readonly call: ToolCall; readonly tool: Tool },
  person: CallerOf,
  hooks: HookRunner | undefined,
): Promise<{ readonly call: ToolCall } | { readonly refused: StoredResult }> {
  const name = beforeToolStep(step);
  const decided = run.entries.some((entry) => entry.kind === "step" && entry.step === name);
  const begun = run.entries.some((entry) => (entry.kind === "step" || entry.kind === "intent") && entry.step === step);
  if (!decided && (begun || hooks?.has("beforeTool") !== true)) return { call };
  const args = readArgs(tool, call);
  // What is no JSON the tool refuses itself, in words the model can read.
  if (args === undefined) return { call };
  const decision = decisionSchema.parse(
    await run.step(name, async ({ signal }) => {
      const made = await hooks?.beforeTool(
        { ...person, runId: run.id, signal },
        { tool: tool.name, effect: tool.effect, args: args.value },
      );
      if (made === undefined) return { unchanged: true as const };
      if (made.kind === "refused") return { refused: made.sentence };
      return made.value === args.value ? { unchanged: true as const } : { args: JSON.stringify(made.value) };
    }),
  );
  if ("refused" in decision) {
    const error = new InvalidInput(`Not done: ${decision.refused}`, { code: "refused" });
    return { refused: { content: renderToolFailure(error), ok: false } };
  }
  return { call: "args" in decision ? { ...call, args: decision.args } : call };
}

/** Lets the hooks change what the model reads of a result that is recorded; the change is a step of its own. */
export async function reviewResult(
  run: Run,
  step: string,
  { call, tool }: { readonly call: ToolCall; readonly tool: Tool },
  person: CallerOf,
  hooks: HookRunner | undefined,
): Promise<void> {
  if (hooks?.has("afterTool") !== true) return;
  const result = parseResult(stepsByName(readRun(run.id, run.entries)).get(step));
  if (result === undefined || result.question !== undefined) return;
  const args = readArgs(tool, call)?.value;
  await run.step<StoredResult>(afterToolStep(step), async ({ signal }) => ({
    ...result,
    content: await hooks.afterTool(
      { ...person, runId: run.id, signal },
      { tool: tool.name, args, content: result.content, ok: result.ok },
    ),
  }));
}

function readArgs(tool: Tool, call: ToolCall): { readonly value: unknown } | undefined {
  try {
    return { value: parseToolArgs(tool.name, call.args) };
  } catch (error) {
    if (error instanceof InvalidInput) return undefined;
    throw error;
  }
}
