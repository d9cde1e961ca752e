import { describeError, OutsideError } from "../kernel/errors.ts";
import type { ConversationId, MessageId, WorkspaceId } from "../kernel/ids.ts";
import type { InboundMessage } from "../kernel/messages.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import { unpackLines } from "../engine/archive.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "../engine/backoff.ts";
import { StepFailed } from "../engine/errors.ts";
import type { Handler } from "../engine/execute.ts";
import { parseLines } from "../engine/journal.ts";
import type { Ending, Run } from "../engine/run.ts";
import type { ChatMessage, ModelClient, ModelReply } from "../models/contract.ts";
import { estimateTokens } from "../models/estimate.ts";
import { explainFailure } from "../models/explain.ts";
import type { Toolbox } from "../tools/toolbox.ts";
import { findChatCommand, type ChatCommandParts } from "./chat-commands.ts";
import { conversationOf } from "./lanes-of.ts";
import { createTextStream, type Live } from "./live.ts";
import { buildContext, type ContextLimits } from "./model-context.ts";
import { askPerson, isExpired, nextQuestion } from "./questions.ts";
import { expiredStep, inboundOf, inboundOfRun, modelStep, partsOf, readRun, readRuns, type RunRecord } from "./runs.ts";
import { settle } from "./settle.ts";
import { countSteps } from "./stop.ts";
import { callTools } from "./tool-calls.ts";

export interface ChatLimits extends ContextLimits {
  /** Model calls in one run; then the person is told that the limit was reached. */
  readonly maxSteps: number;
  /** Tool calls taken from one reply of the model; the rest are refused in words the model can read. */
  readonly maxCallsPerTurn: number;
  /** How long a question waits for its answer, milliseconds. */
  readonly questionMs: number;
  /** How long the fate of messages is kept, milliseconds. */
  readonly keepMs: number;
}

export interface ChatParts extends ChatCommandParts {
  readonly model: ModelClient;
  readonly toolbox: Toolbox;
  readonly live: Live;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ChatLimits;
  readonly retry?: RetryPolicy;
  /** The system prompt for a person, with what they asked to be remembered. */
  readonly systemPrompt: (workspace: WorkspaceId, conversation: ConversationId) => Promise<string>;
}

/**
 * The tick loop of a conversation: ask the model, do the tools it calls, ask again, until it answers, a limit is
 * reached or something fails. Every way out says something to the person in the same step that ends the run.
 */
export function createChatHandler(parts: ChatParts): Handler {
  return {
    async handle(run) {
      const conversation = conversationOf(run.lane);
      const first = inboundOfRun(readRun(run.id, run.entries))[0];
      if (first === undefined) return fail(run, parts, "invalid_message", "This message could not be read.");
      if (run.entries.length === 1)
        parts.live.tell(conversation, { type: "run.started", run_id: run.id, message_ids: messageIds(run) });
      const command = findChatCommand(first.text);
      if (command !== undefined) return command(run, first, parts);
      return tick(run, first, parts);
    },
    giveUp(run, reason) {
      parts.log.error({ run: run.id, lane: run.lane, reason }, "a run was given up");
      return fail(run, parts, "given_up", "Something went wrong here and trying again did not help.");
    },
  };
}

async function tick(run: Run, first: InboundMessage, parts: ChatParts): Promise<Ending> {
  const { limits } = parts;
  const person = { workspaceId: first.workspaceId, conversationId: conversationOf(run.lane) };
  const history = readHistory(run, limits.maxMessages);
  const system = await parts.systemPrompt(person.workspaceId, person.conversationId);
  for (let turn = 1; turn <= limits.maxSteps; turn++) {
    if (!hasReply(run, turn)) await run.absorb();
    let reply: ModelReply;
    try {
      reply = await run.step(modelStep(turn), (step) => askModel(run, turn, system, history, step.signal, parts), {
        last: (value) => value.toolCalls.length === 0,
        retry: parts.retry ?? MODEL_RETRY,
      });
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      return fail(run, parts, error.code, explain(error));
    }
    if (reply.toolCalls.length === 0) return answer(run, turn, reply.text, parts);
    await callTools(run, turn, reply.toolCalls.slice(0, limits.maxCallsPerTurn), person, {
      toolbox: parts.toolbox,
      clock: parts.clock,
      log: parts.log,
      onBegin: (step, tool) =>
        parts.live.tell(person.conversationId, { type: "run.progress", run_id: run.id, step, label: `Using ${tool}` }),
    });
    const waiting = await settleQuestions(run, parts);
    if (waiting !== undefined) return waiting;
  }
  return fail(
    run,
    parts,
    "step_limit",
    `I stopped after ${limits.maxSteps} steps without reaching an answer; please ask for something smaller or say how to go on.`,
  );
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

/** Models are tried for longer than tools: an overload usually passes within a minute. */
const MODEL_RETRY: RetryPolicy = { ...DEFAULT_RETRY, tries: 5 };

async function askModel(
  run: Run,
  turn: number,
  system: string,
  history: readonly RunRecord[],
  signal: AbortSignal,
  parts: ChatParts,
): Promise<ModelReply> {
  const conversation = conversationOf(run.lane);
  const step = modelStep(turn);
  const stream = createTextStream(
    (text, isFirst) =>
      parts.live.tell(conversation, {
        type: "text.delta",
        run_id: run.id,
        step,
        text,
        ...(isFirst ? { reset: true as const } : {}),
      }),
    parts.clock,
  );
  parts.live.tell(conversation, { type: "run.progress", run_id: run.id, step, label: "Thinking" });
  const reply = await parts.model.ask({
    runId: run.id,
    purpose: "chat",
    messages: context(run, system, history, parts.limits),
    tools: parts.toolbox.list(),
    signal,
    onText: (delta) => stream.add(delta),
  });
  stream.flush();
  if (reply.text.trim() === "" && reply.toolCalls.length === 0)
    throw new OutsideError("The model sent an empty answer", { code: "empty-answer", retry: { kind: "after" } });
  return reply;
}

function context(run: Run, system: string, history: readonly RunRecord[], limits: ContextLimits): ChatMessage[] {
  return buildContext(system, history, readRun(run.id, run.entries), limits, estimateTokens);
}

/** The runs before this one, as far back as the model may read. The archive is opened only when the rest is too short. */
function readHistory(run: Run, maxMessages: number): RunRecord[] {
  const recent = readRuns(parseLines(run.history.lines));
  const messages = recent.reduce((count, earlier) => count + partsOf(earlier).length, 0);
  if (messages >= maxMessages || run.history.archive === undefined) return recent;
  return readRuns(parseLines([...unpackLines(run.history.archive), ...run.history.lines]));
}

function hasReply(run: Run, turn: number): boolean {
  const name = modelStep(turn);
  return run.entries.some((entry) => entry.kind === "step" && entry.step === name);
}

function answer(run: Run, turn: number, text: string, parts: ChatParts): Ending {
  const conversation = conversationOf(run.lane);
  const unknown = unknownOutcomes(run);
  const whole = unknown.length === 0 ? text : `${text}\n\n${warnUnknown(unknown)}`;
  return {
    kind: "finish",
    end: "done",
    ...(whole === text ? {} : { text: whole }),
    effects: settle({
      conversation,
      lane: run.lane,
      runId: run.id,
      messageIds: messageIds(run),
      fate: { end: "done", steps: countSteps(readRun(run.id, run.entries)) },
      saying: { step: modelStep(turn), kind: "answer", text: whole },
      at: parts.clock.now(),
      keepMs: parts.limits.keepMs,
    }),
  };
}

/** Calls that were begun before an interruption and never confirmed: the person hears of them whatever the model says. */
function unknownOutcomes(run: Run): string[] {
  const steps = new Map(run.entries.flatMap((entry) => (entry.kind === "step" ? [[entry.step, entry] as const] : [])));
  return partsOf(readRun(run.id, run.entries)).flatMap((part) =>
    part.kind === "turn"
      ? part.turn.reply.toolCalls
          .filter(
            (_call, index) =>
              steps.get(`tool_${part.turn.number}_${index + 1}`)?.outcome.error?.code === "outcome-unknown",
          )
          .map((call) => call.name)
      : [],
  );
}

function warnUnknown(names: readonly string[]): string {
  return `Please check: ${names.join(", ")} was interrupted and may or may not have taken effect. It was not repeated.`;
}

/** Ends a run with one plain sentence and an id by which an administrator finds the run. */
function fail(run: Run, parts: ChatParts, code: string, sentence: string): Ending {
  const conversation = conversationOf(run.lane);
  const text = `${sentence} (error ${run.id})`;
  parts.log.warn({ run: run.id, conversation, code }, "a run failed");
  return {
    kind: "finish",
    end: "failed",
    text,
    effects: settle({
      conversation,
      lane: run.lane,
      runId: run.id,
      messageIds: messageIds(run),
      fate: { end: "failed", steps: countSteps(readRun(run.id, run.entries)), error: { code, message: text } },
      saying: { step: "failed", kind: "error", text },
      at: parts.clock.now(),
      keepMs: parts.limits.keepMs,
    }),
  };
}

function explain(error: StepFailed): string {
  if (error.code === "outcome-unknown" || error.code === "invalid") return `The model failed: ${describeError(error)}.`;
  return explainFailure(new OutsideError(error.message, { code: error.code }));
}

/** The ids of all messages a run answers, readable or not: each gets its answer. */
export function messageIds(run: Run): MessageId[] {
  return run.entries.flatMap((entry) => {
    if (entry.kind !== "opened" && entry.kind !== "joined") return [];
    const readable = inboundOf(entry).map((message) => message.id);
    return readable.length === entry.messages.length ? readable : entry.messages.flatMap(idOf);
  });
}

function idOf(raw: unknown): MessageId[] {
  if (typeof raw !== "object" || raw === null || !("id" in raw) || typeof raw.id !== "string") return [];
  return [raw.id as MessageId];
}
