import { describeError, OutsideError } from "../kernel/errors.ts";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Log } from "../kernel/ports.ts";
import { isScheduled } from "../kernel/schedules.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "../engine/backoff.ts";
import { StepFailed } from "../engine/errors.ts";
import type { Handler } from "../engine/execute.ts";
import type { Ending, Run } from "../engine/run.ts";
import type { HookRunner } from "../hooks/run-hooks.ts";
import type { ModelReply } from "../models/contract.ts";
import { estimateTokens } from "../models/estimate.ts";
import { explainFailure } from "../models/explain.ts";
import type { ResultStore } from "../store/results.ts";
import { inCompany, type Toolbox } from "../tools/toolbox.ts";
import { activeMs, describeMs } from "./active-time.ts";
import { waitForApprovals } from "./approvals/wait.ts";
import type { AskParts } from "./ask-model.ts";
import { findChatCommand, type ChatCommandParts } from "./chat-commands.ts";
import { chosenModel, type ChosenModelParts } from "./chosen-model.ts";
import { answer, fail, SILENCE } from "./endings.ts";
import { askThroughHooks } from "./hooked-calls.ts";
import type { RunEnds } from "./run-ends.ts";
import { createHistoryReader, isShared, type Past } from "./history.ts";
import { conversationOf } from "./lanes-of.ts";
import { buildContext, type ContextLimits } from "./model-context.ts";
import { outsideSources } from "./outside-text.ts";
import { askPerson, isExpired, nextQuestion } from "./questions.ts";
import { loadImages, readFiles, type ReadFilesParts } from "./read-files.ts";
import { expiredStep, inboundOfRun, messageIdsOf, modelStep, readRun, type RunRecord } from "./runs.ts";
import { keepSummary, type SummaryParts } from "./summarise.ts";
import { SUMMARY_SLACK_RUNS, type SummaryLimits } from "./summary-plan.ts";
import { describeSummary } from "./summary-text.ts";
import { callTools, findEndlessRepeat } from "./tool-calls.ts";
import { afterRefusal, type ExtendParts } from "./extend-budget.ts";

export interface ChatLimits extends ContextLimits {
  /** Model calls in one run; then the person is told that the limit was reached. */
  readonly maxSteps: number;
  /** How long a run may be worked on, milliseconds; waiting does not count. */
  readonly maxRunMs: number;
  /** Tool calls taken from one reply of the model; the rest are refused in words the model can read. */
  readonly maxCallsPerTurn: number;
  /** The longest result of a tool that the model is shown at once, in characters. */
  readonly maxResultChars: number;
  /** How long a question waits for its answer, milliseconds. */
  readonly questionMs: number;
  /** How long the fate of messages is kept, milliseconds. */
  readonly keepMs: number;
  readonly summary: SummaryLimits;
}

export interface ChatParts
  extends
    ChatCommandParts,
    ChosenModelParts,
    ExtendParts,
    Omit<AskParts, "toolbox">,
    Pick<SummaryParts, "hideSecrets">,
    ReadFilesParts {
  /** The tools of a person as they are now. */
  readonly toolboxFor: (workspace: WorkspaceId) => Promise<Toolbox>;
  /** Where long results of tools are kept whole. */
  readonly results: Pick<ResultStore, "keep">;
  readonly log: Log;
  readonly limits: ChatLimits;
  readonly retry?: RetryPolicy;
  readonly hooks?: HookRunner;
  /** Told how runs end. */
  readonly ends?: Pick<RunEnds, "note">;
  /** The system prompt for a person; in a shared conversation without what they asked to be remembered. */
  readonly systemPrompt: (
    workspace: WorkspaceId,
    conversation: ConversationId,
    options: { readonly shared: boolean },
  ) => Promise<string>;
}

/**
 * The tick loop of a conversation: ask the model, do the tools it calls, ask again, until it answers, a limit is
 * reached or something fails. Every way out says something to the person in the same step that ends the run.
 */
export function createChatHandler(parts: ChatParts): Handler {
  const readPast = createHistoryReader(parts.log);
  return {
    async handle(run) {
      const record = readRun(run.id, run.entries);
      const first = inboundOfRun(record)[0];
      if (first === undefined)
        return fail(run, { code: "invalid_message", sentence: "This message could not be read." }, parts);
      if (run.entries.length === 1)
        parts.live.tell(conversationOf(run.lane), {
          type: "run.started",
          run_id: run.id,
          message_ids: messageIdsOf(run.entries),
        });
      const command = findChatCommand(record);
      if (command !== undefined) return command(run, parts);
      const { maxMessages, summary } = parts.limits;
      const past = readPast(run.history, maxMessages + (summary.on ? 2 * SUMMARY_SLACK_RUNS : 0));
      const ending = await tick(run, first, past, parts);
      parts.ends?.note(run, first.workspaceId, ending);
      return ending;
    },
    giveUp(run, reason) {
      parts.log.error({ run: run.id, lane: run.lane, reason }, "a run was given up");
      const sentence = "Something went wrong here and trying again did not help.";
      const ending = fail(run, { code: "given_up", sentence }, parts);
      const [first] = inboundOfRun(readRun(run.id, run.entries));
      if (first !== undefined) parts.ends?.note(run, first.workspaceId, ending);
      return ending;
    },
  };
}

/** Prepares what the model reads, then works towards an answer, beside it on the summary the next runs will read. */
async function tick(run: Run, first: InboundMessage, past: Past, parts: ChatParts): Promise<Ending> {
  const { workspaceId } = first;
  const person = { workspaceId, conversationId: conversationOf(run.lane) };
  const shared = isShared([...past.runs, readRun(run.id, run.entries)]);
  const own = await parts.systemPrompt(workspaceId, person.conversationId, { shared });
  const prompt = isScheduled(first.id) ? `${own}\n\n${SCHEDULED_HINT}` : own;
  const summary = parts.limits.summary.on ? past.summary?.summary : undefined;
  const system = summary === undefined ? prompt : `${prompt}\n\n${describeSummary(summary.text)}`;
  const summing = keepSummary(run, past, { workspaceId, systemTokens: estimateTokens(system) }, parts);
  // Whatever ends the work below ends this as well; the engine waits for it.
  summing.catch(() => {});
  const background = { system, history: past.runs, shared, outside: summary?.outside ?? [] };
  const ending = await work(run, person, background, parts);
  await summing;
  return ending;
}

/** What every model call of a run begins with. */
interface Background {
  readonly system: string;
  readonly history: readonly RunRecord[];
  /** Several people speak. */
  readonly shared: boolean;
  /** Where text from outside came from that the summary in `system` was made of. */
  readonly outside: readonly string[];
}

async function work(
  run: Run,
  person: { readonly workspaceId: WorkspaceId; readonly conversationId: ConversationId },
  { system, history, shared, outside: remembered }: Background,
  parts: ChatParts,
): Promise<Ending> {
  const { limits } = parts;
  const { workspaceId } = person;
  const own = await parts.toolboxFor(workspaceId);
  const toolbox = shared ? inCompany(own) : own;
  const model = await chosenModel(run, person.conversationId, parts);
  const toolParts = {
    ...parts,
    toolbox,
    maxCalls: limits.maxCallsPerTurn,
    maxResultChars: limits.maxResultChars,
    onBegin: (step: string, tool: string) =>
      parts.live.tell(person.conversationId, { type: "run.progress", run_id: run.id, step, label: `Using ${tool}` }),
  };
  const begun = parts.clock.now();
  for (let turn = 1; turn <= limits.maxSteps; turn++) {
    if (activeMs(run.entries, begun, parts.clock.now()) > limits.maxRunMs) return fail(run, timeLimit(limits), parts);
    const step = modelStep(turn);
    if (!hasStep(run, step)) await run.absorb();
    await readFiles(run, workspaceId, parts);
    let reply: ModelReply & Labels;
    try {
      reply = await run.step(
        step,
        async ({ signal }) => {
          const current = readRun(run.id, run.entries);
          const images = await loadImages(run, parts);
          const messages = buildContext(system, history, current, limits, estimateTokens, images);
          const asked = { step, messages, signal, workspaceId, model };
          const said = await askThroughHooks(run, asked, { ...parts, toolbox });
          return withLabels(said, [...remembered, ...outsideSources([...history, current], workspaceId)]);
        },
        { last: (value) => value.toolCalls.length === 0, retry: parts.retry ?? MODEL_RETRY },
      );
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      const settled = await afterRefusal(run, turn, error, person, parts);
      if (settled === "extended") continue;
      if (settled !== "refused") return settled;
      return fail(run, { code: error.code, sentence: explain(error) }, parts);
    }
    if (reply.toolCalls.length === 0) return answer(run, turn, reply, parts);
    const { toolCalls: calls, outside = [] } = reply;
    const repeat = findEndlessRepeat(run, turn, calls);
    if (repeat !== undefined) return fail(run, repeatedCalls(repeat.name), parts);
    const held = await callTools(run, { number: turn, calls, outside }, person, toolParts);
    if (held.length > 0) return waitForApprovals(run, held, workspaceId, parts);
    const waiting = await settleQuestions(run, parts);
    if (waiting !== undefined) return waiting;
  }
  const sentence =
    `I stopped after ${limits.maxSteps} steps without reaching an answer; ` +
    "please ask for something smaller or say how to go on.";
  return fail(run, { code: "step_limit", sentence }, parts);
}

function timeLimit({ maxRunMs }: ChatLimits) {
  const sentence =
    `I stopped after ${describeMs(maxRunMs)} of work without reaching an answer; ` +
    "please ask for something smaller or say how to go on.";
  return { code: "time_limit", sentence };
}

function repeatedCalls(tool: string) {
  const sentence =
    `I stopped because I was going round in circles: I used ${tool} again and again in the same way, with the same ` +
    "result every time. Please say how to go on.";
  return { code: "repeated_calls", sentence };
}

/** What the model is told about a message that a schedule put. */
const SCHEDULED_HINT =
  `The newest message comes from a schedule this person made; nobody is waiting at the other end. Do the task now. ` +
  `If there is nothing worth telling, answer ${SILENCE} and nothing else: then nothing is sent.`;

interface Labels {
  /** Where text from outside came from that the model had read. */
  readonly outside?: readonly string[];
}

/** Tool calls carry the label of what the model had read when it made them, in the same line of the journal. */
function withLabels(reply: ModelReply, sources: readonly string[]): ModelReply & Labels {
  const outside = reply.toolCalls.length === 0 ? [] : [...new Set(sources)];
  return outside.length === 0 ? reply : { ...reply, outside };
}

/** Models are tried for longer than tools: an overload usually passes within a minute. */
const MODEL_RETRY: RetryPolicy = { ...DEFAULT_RETRY, tries: 5 };

function hasStep(run: Run, name: string): boolean {
  return run.entries.some((entry) => entry.kind === "step" && entry.step === name);
}

/** Puts the next open question to the person and waits; undefined when all are answered or nobody answered in time. */
async function settleQuestions(run: Run, parts: ChatParts): Promise<Ending | undefined> {
  for (;;) {
    const open = nextQuestion(readRun(run.id, run.entries));
    if (open === undefined) return undefined;
    if (!isExpired(open, parts)) return askPerson(run, open, parts);
    await run.step(expiredStep(open.step), () => Promise.resolve(true));
  }
}

function explain(error: StepFailed): string {
  if (error.code === "budget-used-up") return error.message;
  if (error.code === "outcome-unknown" || error.code === "invalid") return `The model failed: ${describeError(error)}.`;
  return explainFailure(new OutsideError(error.message, { code: error.code }));
}
