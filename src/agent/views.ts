import type { ConversationId, LaneId, MessageId, RunId } from "../kernel/ids.ts";
import { platformOf } from "../kernel/messages.ts";
import { unpackLines } from "../engine/archive.ts";
import { parseLines } from "../engine/journal.ts";
import type { ConversationStore } from "../store/conversations.ts";
import type { LaneState } from "../store/lane-state.ts";
import type { Lanes } from "../store/lanes.ts";
import type { ConversationView, RunStepView, RunView, TranscriptMessage, WaitingMessage } from "./door-contract.ts";
import { chatLane, conversationOf } from "./lanes-of.ts";
import { queueMode, type QueueMode } from "./queue-mode.ts";
import {
  inboundOf,
  inboundOfRun,
  modelCallNumber,
  openQuestions,
  partsOf,
  readRuns,
  toolStep,
  type RunRecord,
} from "./runs.ts";
import { runPointerKey } from "./settle.ts";
import { modelReplySchema } from "./steps.ts";

export interface ViewParts {
  readonly lanes: Lanes;
  readonly conversations: ConversationStore;
  readonly defaultQueueMode: () => QueueMode;
  /** The newest ended run of a conversation. */
  readonly lastRun: (conversation: ConversationId) => Promise<RunView | undefined>;
}

type ReadParts = Pick<ViewParts, "lanes">;

/** All runs of a conversation that are still kept, oldest first, with what the lane is doing now. */
export async function readConversation(
  conversation: ConversationId,
  { lanes }: ReadParts,
): Promise<{ readonly runs: readonly RunRecord[]; readonly state: LaneState }> {
  const lane = chatLane(conversation);
  for (;;) {
    const state = await lanes.look(lane);
    const token = state.kind === "run" ? state.token : undefined;
    const [lines, archive] = await Promise.all([lanes.readJournal(lane, token), lanes.readArchive(lane)]);
    // An owned journal is never empty: the run ended or moved between the two reads.
    if (token !== undefined && lines.length === 0) continue;
    const older = archive === undefined ? [] : unpackLines(archive);
    return { runs: readRuns(parseLines([...older, ...lines])), state };
  }
}

/** What people said and saw, oldest first. */
export function transcriptOf(runs: readonly RunRecord[]): TranscriptMessage[] {
  return runs.flatMap((run) => {
    const questions = openQuestions(run);
    const answers = new Map([...questions].map(([step, question]) => [question.answeredBy, { step, ...question }]));
    const said: TranscriptMessage[] = [];
    for (const entry of run.entries) {
      const asked = answers.get(entry);
      if (asked?.askedAt !== undefined)
        said.push(assistant(run, `${run.runId}:${asked.step}:0`, asked.question.ask, asked.askedAt));
      for (const message of inboundOf(entry))
        said.push({
          id: message.id,
          role: "user",
          text: message.text,
          at: message.at,
          runId: run.runId,
          authorName: message.authorName,
        });
    }
    for (const [step, question] of questions)
      if (question.answeredBy === undefined && question.askedAt !== undefined)
        said.push(assistant(run, `${run.runId}:${step}:0`, question.question.ask, question.askedAt));
    const final = finalText(run);
    if (final !== undefined) said.push(assistant(run, `${run.runId}:${final.step}:0`, final.text, final.at));
    return said;
  });
}

function assistant(run: RunRecord, id: string, text: string, at: number): TranscriptMessage {
  return { id, role: "assistant", text, at, runId: run.runId };
}

/** The last thing a run said, with the step under which it was delivered. */
function finalText(run: RunRecord): { readonly step: string; readonly text: string; readonly at: number } | undefined {
  if (run.ended === undefined) return undefined;
  const { end, at, text } = run.ended;
  const lastTurn = partsOf(run).findLast((part) => part.kind === "turn");
  const turn = lastTurn?.kind === "turn" ? lastTurn.turn : undefined;
  if (end === "done" && turn !== undefined && !run.command)
    return { step: `ai_call_${turn.number}`, text: text ?? turn.reply.text, at };
  if (text === undefined) return undefined;
  return { step: end === "stopped" ? "stop" : end === "failed" ? "failed" : "command", text, at };
}

/** A conversation with its state, or undefined when nobody ever spoke in it. */
export async function viewConversation(
  id: ConversationId,
  { lanes, conversations, defaultQueueMode }: Omit<ViewParts, "lastRun">,
): Promise<ConversationView | undefined> {
  const lane = chatLane(id);
  const [facts, lastActivityAt, state, mails] = await Promise.all([
    conversations.find(id),
    conversations.lastActivity(id),
    lanes.look(lane),
    lanes.waiting(lane),
  ]);
  if (facts === undefined) return undefined;
  const waiting = mails.flatMap((mail): WaitingMessage[] => {
    const [message] = inboundOf({ kind: "joined", at: 0, messages: [JSON.parse(mail.body)] });
    if (message === undefined) return [];
    return [{ id: message.id, text: message.text, at: message.at, workspaceId: message.workspaceId }];
  });
  return {
    id,
    platform: platformOf(id),
    owner: facts.owner,
    lastActivityAt: lastActivityAt ?? 0,
    state: state.kind === "idle" ? "idle" : state.kind === "parked" ? "waiting" : "running",
    runId: "runId" in state ? state.runId : undefined,
    queueMode: queueMode(facts.queueMode, defaultQueueMode()),
    waiting,
  };
}

/** A run that is going or has ended, as long as its conversation keeps it. */
export async function viewRun(id: RunId, parts: ReadParts): Promise<RunView | undefined> {
  const lane = await findLane(id, parts.lanes);
  if (lane === undefined) return undefined;
  const conversation = conversationOf(lane);
  const { runs, state } = await readConversation(conversation, parts);
  const run = runs.findLast((each) => each.runId === id);
  return run === undefined ? undefined : toRunView(run, conversation, state);
}

async function findLane(id: RunId, lanes: Lanes): Promise<LaneId | undefined> {
  const pointer = await lanes.findRecord(runPointerKey(id));
  if (pointer !== undefined) return pointer as LaneId;
  // A run that is going has no pointer yet; the lanes that are not idle are few.
  for (let partition = 0; partition < lanes.partitions; partition++)
    for (const [lane, state] of await lanes.active(partition))
      if ("runId" in state && state.runId === id && lane.startsWith("chat/")) return lane;
  return undefined;
}

/** A run as operators see it: its steps, tries, times and tokens. */
export function toRunView(run: RunRecord, conversation: ConversationId, state: LaneState): RunView {
  const current = "runId" in state && state.runId === run.runId ? state : undefined;
  const replies = run.entries.flatMap((entry) => {
    if (entry.kind !== "step" || modelCallNumber(entry.step) === undefined) return [];
    const reply = modelReplySchema.safeParse(entry.outcome.value);
    return reply.success ? [reply.data] : [];
  });
  return {
    id: run.runId,
    conversationId: conversation,
    status: run.ended?.end ?? (current?.kind === "parked" ? "waiting" : "running"),
    startedAt: run.startedAt,
    endedAt: run.ended?.at,
    attempt: current?.attempt,
    messageIds: inboundOfRun(run).map((message): MessageId => message.id),
    steps: stepViews(run),
    inputTokens: replies.reduce((sum, reply) => sum + reply.usage.inputTokens, 0),
    outputTokens: replies.reduce((sum, reply) => sum + reply.usage.outputTokens, 0),
  };
}

function stepViews(run: RunRecord): RunStepView[] {
  const tools = new Map<string, string>();
  for (const part of partsOf(run))
    if (part.kind === "turn")
      for (const [index, call] of part.turn.reply.toolCalls.entries())
        tools.set(toolStep(part.turn.number, index + 1), call.name);
  const recorded = new Set(run.entries.flatMap((entry) => (entry.kind === "step" ? [entry.step] : [])));
  return run.entries.flatMap((entry): RunStepView[] => {
    if (entry.kind === "intent" && !recorded.has(entry.step))
      return [{ name: entry.step, what: tools.get(entry.step) ?? "", status: "begun", at: entry.at, ms: 0, tries: 1 }];
    if (entry.kind !== "step") return [];
    const what = modelCallNumber(entry.step) === undefined ? (tools.get(entry.step) ?? "engine") : "model";
    const { outcome, at, ms, tries } = entry;
    const common = { name: entry.step, what, at, ms, tries };
    return [
      outcome.error === undefined
        ? { ...common, status: "done" }
        : { ...common, status: "failed", error: outcome.error },
    ];
  });
}
