import { deliveryId, type ConversationId, type LaneId, type RunId } from "../kernel/ids.ts";
import { platformOf, type OutboundMessage } from "../kernel/messages.ts";
import { unpackLines } from "../engine/archive.ts";
import { parseLines } from "../engine/journal.ts";
import { cardText } from "./approvals/card.ts";
import { approvalsOf, type Approval } from "./approvals/journal.ts";
import { showApproval } from "./approvals/view.ts";
import type { ConversationStore } from "../store/conversations.ts";
import type { LaneState } from "../store/lane-state.ts";
import type { Lanes } from "../store/lanes.ts";
import type { ConversationView, RunStepView, RunView, TranscriptMessage, WaitingMessage } from "./door-contract.ts";
import { isFileStep, showableAttachment } from "./attachments.ts";
import { filesMade } from "./files-made.ts";
import { chatLane, conversationOf } from "./lanes-of.ts";
import { queueMode, type QueueMode } from "./queue-mode.ts";
import {
  inboundOf,
  messageIdsOf,
  modelCallNumber,
  openQuestions,
  partsOf,
  readMail,
  readRuns,
  stepsByName,
  toolStep,
  withFilesOf,
  type OpenQuestion,
  type RunRecord,
} from "./runs.ts";
import { runPointerKey } from "./settle.ts";
import { modelReplySchema, SUMMARY_STEP, summaryStepSchema } from "./steps.ts";

export interface ViewParts {
  readonly lanes: Lanes;
  readonly conversations: ConversationStore;
  readonly defaultQueueMode: () => QueueMode;
  /** The newest ended run of a conversation. */
  readonly lastRun: (conversation: ConversationId) => Promise<RunView | undefined>;
}

type DeliveryKind = OutboundMessage["kind"];

type ReadParts = Pick<ViewParts, "lanes">;

/** Looks at a conversation that moves this often in a row are enough; what is seen then is shown as it is. */
const MAX_LOOKS = 20;

/** All runs of a conversation that are still kept, oldest first, with what the lane is doing now. */
export async function readConversation(
  conversation: ConversationId,
  { lanes }: ReadParts,
): Promise<{ readonly runs: readonly RunRecord[]; readonly state: LaneState }> {
  const lane = chatLane(conversation);
  for (let looks = 1; ; looks++) {
    const state = await lanes.look(lane);
    const token = state.kind === "run" ? state.token : undefined;
    const [lines, archive] = await Promise.all([lanes.readJournal(lane, token), lanes.readArchive(lane)]);
    // A journal changes its name with its owner. Where nothing was found, the lane may have moved between the reads.
    if (lines.length === 0 && looks < MAX_LOOKS && hasMoved(state, await lanes.look(lane))) continue;
    return { runs: readRuns(parseLines([...olderThan(lines[0], archive), ...lines])), state };
  }
}

function hasMoved(before: LaneState, now: LaneState): boolean {
  // An owned journal is never empty.
  return before.kind === "run" || JSON.stringify(before) !== JSON.stringify(now);
}

/** The archived lines before `first`; compaction may move lines there between the two reads. */
function olderThan(first: string | undefined, archive: Buffer | undefined): readonly string[] {
  if (archive === undefined) return [];
  const older = unpackLines(archive);
  const again = first === undefined ? -1 : older.lastIndexOf(first);
  return again < 0 ? older : older.slice(0, again);
}

/** What people said and saw, oldest first. */
export function transcriptOf(runs: readonly RunRecord[], now: number): TranscriptMessage[] {
  return runs.flatMap((run) => {
    const approvals = new Map([...approvalsOf(run).values()].map((approval) => [approval.note, approval]));
    const questions = openQuestions(run);
    const withFiles = withFilesOf(run);
    const answers = new Map([...questions].map(([step, question]) => [question.answeredBy, { step, ...question }]));
    const said: TranscriptMessage[] = [];
    for (const entry of run.entries) {
      const approval = approvals.get(entry);
      if (approval !== undefined) said.push(approvalOf(run, approval, now));
      const asked = answers.get(entry);
      if (asked?.askedAt !== undefined) said.push(questionOf(run, asked.step, asked.question, asked.askedAt));
      for (const message of inboundOf(entry).map(withFiles))
        said.push({
          id: message.id,
          role: "user",
          text: message.text,
          at: message.at,
          runId: run.runId,
          authorName: message.authorName,
          ...(message.attachments === undefined ? {} : { attachments: message.attachments.map(showableAttachment) }),
        });
    }
    for (const [step, question] of questions)
      if (question.answeredBy === undefined && question.askedAt !== undefined)
        said.push(questionOf(run, step, question.question, question.askedAt));
    const final = finalText(run);
    if (final !== undefined) {
      const { step, ...rest } = final;
      const files = filesMade(run);
      const more = files.length === 0 ? {} : { files };
      said.push({ id: deliveryId(run.runId, step), role: "assistant", runId: run.runId, ...rest, ...more });
    }
    return said;
  });
}

function approvalOf(run: RunRecord, { card, step, decision }: Approval, now: number): TranscriptMessage {
  return {
    id: deliveryId(run.runId, step),
    role: "assistant",
    text: cardText(card),
    at: card.askedAt,
    runId: run.runId,
    kind: "approval",
    approval: showApproval(card, decision, { isGoing: run.ended === undefined, now }),
  };
}

function questionOf(run: RunRecord, step: string, question: OpenQuestion["question"], at: number): TranscriptMessage {
  const { ask: text, choices } = question;
  return { id: deliveryId(run.runId, step), role: "assistant", text, at, runId: run.runId, kind: "question", choices };
}

/** The last thing a run said, with the step under which it was delivered. */
function finalText(
  run: RunRecord,
): { readonly step: string; readonly text: string; readonly at: number; readonly kind: DeliveryKind } | undefined {
  if (run.ended === undefined) return undefined;
  const { end, at, text } = run.ended;
  const lastTurn = partsOf(run).findLast((part) => part.kind === "turn");
  const turn = lastTurn?.kind === "turn" ? lastTurn.turn : undefined;
  if (end === "done" && turn !== undefined && !run.command)
    return { step: `ai_call_${turn.number}`, text: text ?? turn.reply.text, at, kind: "answer" };
  if (text === undefined) return undefined;
  if (end === "failed") return { step: "failed", text, at, kind: "error" };
  return { step: end === "stopped" ? "stop" : "command", text, at, kind: "notice" };
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
    const message = readMail(mail);
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
  const usages = run.entries.flatMap((entry) => {
    if (entry.kind !== "step" || !isModelCall(entry.step)) return [];
    const value = (entry.step === SUMMARY_STEP ? summaryStepSchema : modelReplySchema).safeParse(entry.outcome.value);
    return value.data?.usage === undefined ? [] : [value.data.usage];
  });
  return {
    id: run.runId,
    conversationId: conversation,
    status: run.ended?.end ?? (current?.kind === "parked" ? "waiting" : "running"),
    startedAt: run.startedAt,
    endedAt: run.ended?.at,
    attempt: current?.attempt,
    messageIds: messageIdsOf(run.entries),
    steps: stepViews(run),
    inputTokens: usages.reduce((sum, usage) => sum + usage.inputTokens, 0),
    outputTokens: usages.reduce((sum, usage) => sum + usage.outputTokens, 0),
  };
}

function isModelCall(step: string): boolean {
  return step === SUMMARY_STEP || modelCallNumber(step) !== undefined;
}

function stepViews(run: RunRecord): RunStepView[] {
  const tools = new Map<string, string>();
  for (const part of partsOf(run))
    if (part.kind === "turn")
      for (const [index, call] of part.turn.reply.toolCalls.entries())
        tools.set(toolStep(part.turn.number, index + 1), call.name);
  const whatOf = (step: string) => {
    if (isFileStep(step)) return "attachment";
    return tools.get(step) ?? (isModelCall(step) ? "model" : "engine");
  };
  const recorded = stepsByName(run);
  const begun = new Map<string, RunStepView>();
  const views: RunStepView[] = [];
  for (const entry of run.entries) {
    if (entry.kind === "step") {
      const { step, outcome, at, ms, tries } = entry;
      const common = { name: step, what: whatOf(step), at, ms, tries };
      views.push(
        outcome.error === undefined
          ? { ...common, status: "done" }
          : { ...common, status: "failed", error: outcome.error },
      );
    } else if ((entry.kind === "intent" || entry.kind === "try-failed") && !recorded.has(entry.step)) {
      const tries = entry.kind === "try-failed" ? entry.tries : 1;
      begun.set(entry.step, {
        name: entry.step,
        what: whatOf(entry.step),
        status: "begun",
        at: entry.at,
        ms: 0,
        tries,
      });
    }
  }
  return [...views, ...begun.values()];
}
