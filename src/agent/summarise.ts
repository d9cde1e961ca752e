import { describeError, OutsideError } from "../kernel/errors.ts";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { Log } from "../kernel/ports.ts";
import type { Run } from "../engine/run.ts";
import type { ModelClient } from "../models/contract.ts";
import { estimateTokens } from "../models/estimate.ts";
import { withDeadline } from "../tools/deadline.ts";
import type { Past } from "./history.ts";
import { conversationOf } from "./lanes-of.ts";
import { weighRun, type ContextLimits } from "./model-context.ts";
import { outsideSources } from "./outside-text.ts";
import { inboundOfRun, type RunRecord } from "./runs.ts";
import { SUMMARY_STEP, summaryStepSchema, type SummaryStep } from "./steps.ts";
import { judgeSummary, planSummary, summaryTokens, type SummaryLimits } from "./summary-plan.ts";
import { summaryRequest } from "./summary-text.ts";

export interface SummaryParts {
  readonly model: ModelClient;
  readonly log: Log;
  readonly limits: ContextLimits & { readonly summary: SummaryLimits };
  /** Replaces every secret that these people keep by a word that stands for it. */
  readonly hideSecrets: (workspaces: readonly WorkspaceId[]) => Promise<(text: string) => string>;
}

/**
 * Renews the running summary when the history fills its room: one step of this run, from which the next runs take it.
 * Resolves when it is done or not due. A summary that fails, is too slow or does not shrink is dropped, the one before
 * it stays, and the run goes on; rejects only with what the engine handles.
 */
export async function keepSummary(
  run: Run,
  past: Past,
  person: { readonly workspaceId: WorkspaceId; readonly systemTokens: number },
  parts: SummaryParts,
): Promise<void> {
  const { limits } = parts;
  const room = { messages: limits.maxMessages, tokens: limits.maxTokens - person.systemTokens };
  // A step that is recorded is found by its name, so what is due need not be decided the same way after a crash.
  const covered = planSummary(past, room, limits.summary, (old) => weighRun(old, estimateTokens));
  if (covered.length === 0) return;
  await run.step(SUMMARY_STEP, async ({ signal }): Promise<SummaryStep> => {
    const before = past.summary?.summary;
    const kept = before === undefined ? {} : { summary: before };
    try {
      return summaryStepSchema.parse({ ...kept, ...(await makeSummary(run, before, covered, person, signal, parts)) });
    } catch (error) {
      signal.throwIfAborted();
      parts.log.warn({ run: run.id, error: describeError(error) }, "a running summary could not be made");
      return { ...kept, problem: error instanceof OutsideError ? error.code : "failed" };
    }
  });
}

/** Nobody waits for a summary longer than this, milliseconds. */
const SUMMARY_MS = 30_000;

async function makeSummary(
  run: Run,
  before: SummaryStep["summary"],
  covered: readonly RunRecord[],
  { workspaceId }: { readonly workspaceId: WorkspaceId },
  signal: AbortSignal,
  { model, limits, hideSecrets, log }: SummaryParts,
): Promise<Partial<SummaryStep>> {
  const maxTokens = summaryTokens(limits.summary, limits.maxTokens);
  const people = new Set([workspaceId, ...covered.flatMap(inboundOfRun).map((message) => message.workspaceId)]);
  const hide = await hideSecrets([...people]);
  const budget = { maxTokens, inputTokens: limits.maxTokens - maxTokens };
  const messages = summaryRequest(before?.text, covered, budget, estimateTokens).map((message) => ({
    ...message,
    content: hide(message.content),
  }));
  const late = () => new OutsideError("The summary took too long", { code: "timeout" });
  const reply = await withDeadline({ ms: SUMMARY_MS, signal, late }, (either) =>
    model.ask({
      runId: run.id,
      purpose: "summary",
      messages,
      tools: [],
      maxTokens: Math.ceil(maxTokens * OUTPUT_MARGIN),
      signal: either,
      spender: { step: SUMMARY_STEP, workspaceId, conversationId: conversationOf(run.lane) },
    }),
  );
  const replacedTokens =
    estimateTokens(before?.text ?? "") + covered.reduce((sum, old) => sum + weighRun(old, estimateTokens).tokens, 0);
  const judged = judgeSummary(hide(reply.text), { maxTokens, replacedTokens }, estimateTokens);
  const cost = { usage: reply.usage, model: reply.model };
  const last = covered.at(-1);
  if ("problem" in judged || last === undefined) {
    const problem = "problem" in judged ? judged.problem : "nothing to cover";
    log.info({ run: run.id, problem }, "a running summary was dropped");
    return { ...cost, problem };
  }
  // What is retold is no less from outside.
  const retold = [...(before?.outside ?? []), ...outsideSources(covered, workspaceId)];
  const outside = retold.length === 0 ? {} : { outside: [...new Set(retold)] };
  const runs = (before?.runs ?? 0) + covered.length;
  return { ...cost, summary: { text: judged.text, upTo: last.runId, runs, ...outside } };
}

/** Tokens are only estimated here, and some models think first; a longer text is cut, this only bounds its price. */
const OUTPUT_MARGIN = 4;
