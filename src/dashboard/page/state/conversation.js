// @ts-check
import { runsBeside } from "./commands.js";
import { isPassing, runOf } from "./deliveries.js";

/** @import { output } from "zod" */
/** @import { conversationSchema, receivedSchema, ShownLiveEvent, shownApprovalSchema, transcriptMessageSchema } from "../../../api/contract.ts" */

/** @typedef {output<typeof conversationSchema>} ConversationView */
/** @typedef {output<typeof transcriptMessageSchema>} TranscriptMessage */
/** @typedef {output<typeof receivedSchema>} Received */
/** @typedef {output<typeof shownApprovalSchema>} Approval */
/** @typedef {import("./deliveries.js").Kind} Kind */

/**
 * @typedef {object} Entry A message that was said, by a person or by the bot.
 * @property {string} id
 * @property {"user" | "assistant"} role
 * @property {string} text
 * @property {number} at
 * @property {Kind | undefined} kind of what the bot said
 * @property {readonly string[]} choices
 * @property {readonly Attachment[]} attachments files a person sent along
 * @property {readonly File[]} files files the bot sent along
 * @property {Approval | undefined} approval what is to be approved, for an `approval`
 */

/** @typedef {NonNullable<TranscriptMessage["attachments"]>[number]} Attachment */
/** @typedef {Pick<NonNullable<TranscriptMessage["files"]>[number], "artifact_id" | "name" | "media_type" | "bytes"> & { url?: string | undefined }} File */

/** @typedef {{ readonly id: string, readonly text: string, readonly at: number, readonly attachments: readonly Attachment[] }} Waiting A message nobody has begun with. */

/**
 * @typedef {object} Run What the bot is doing. `id` is unknown until the server names it.
 * @property {string | undefined} id
 * @property {"working" | "waiting"} phase `waiting`: for the person
 * @property {string} label a few words for the progress line
 */

/**
 * @typedef {object} Draft The text a model is writing: shown until the message itself is there.
 * @property {string} runId
 * @property {string} step
 * @property {string} text
 * @property {boolean} partial the beginning was not seen
 */

/**
 * @typedef {object} Conversation A conversation as the page shows it.
 * @property {readonly Entry[]} history
 * @property {readonly Waiting[]} waiting in the order in which they will be taken
 * @property {Run | undefined} run
 * @property {Draft | undefined} draft
 * @property {readonly string[]} ended the latest runs that are over; what still comes from them is late
 */

/** @type {Conversation} */
export const EMPTY = { history: [], waiting: [], run: undefined, draft: undefined, ended: [] };

/**
 * The conversation as the server tells it, when asked for all of it. What the server does not keep, such as commands
 * and their answers, stays from `before`.
 * @param {Conversation} before
 * @param {ConversationView | undefined} view undefined when nobody ever spoke there
 * @param {readonly TranscriptMessage[]} transcript
 * @returns {Conversation}
 */
export function fromServer(before, view, transcript) {
  const known = new Map(before.history.map((entry) => [entry.id, entry]));
  const said = transcript.map((message) => {
    const same = known.get(message.id);
    const entry = toEntry(message);
    // The transcript knows no choices; an event did.
    return same === undefined ? entry : { ...entry, kind: same.kind, choices: same.choices };
  });
  const ids = new Set(said.map((entry) => entry.id));
  const passing = before.history.filter((entry) => !ids.has(entry.id) && isKeptHere(entry));
  const history = mergeByTime(said, passing);
  const next = { ...before, history, waiting: [], draft: undefined, run: undefined };
  return view === undefined ? next : reconcile(next, view);
}

/**
 * Takes what the bot is doing and what waits from the server's view.
 * @param {Conversation} before
 * @param {ConversationView} view
 * @returns {Conversation}
 */
export function reconcile(before, view) {
  const listed = new Set(view.waiting.map((message) => message.id));
  // What waited and does so no more was taken: it belongs to what was said.
  const taken = before.waiting.filter((message) => !listed.has(message.id));
  const history = [...before.history, ...taken.map(sayUser)];
  const ids = new Set(history.map((entry) => entry.id));
  // The view does not tell of files; the event did.
  const known = new Map(before.waiting.map((message) => [message.id, message.attachments]));
  const waiting = view.waiting
    .filter((message) => !ids.has(message.id))
    .map(({ id, text, at }) => ({ id, text, at: Date.parse(at), attachments: known.get(id) ?? [] }));
  return { ...before, history, waiting, run: runFrom(view, before.run, history) };
}

/**
 * @param {ConversationView} view
 * @param {Run | undefined} run
 * @param {readonly Entry[]} history
 * @returns {Run | undefined}
 */
function runFrom(view, run, history) {
  if (view.state === "idle") return undefined;
  const id = view.run_id ?? undefined;
  const label = run !== undefined && run.id === id ? run.label : "";
  // A run also waits between two tries of a step; then nothing is asked of the person.
  const last = history.findLast((entry) => !isKeptHere(entry));
  const asked = last?.kind === "question" || history.some(isOpenApproval);
  return { id, phase: view.state === "waiting" && asked ? "waiting" : "working", label };
}

/**
 * Notes that the server has a message, as the reply to sending it says. The event may have come first.
 * @param {Conversation} before
 * @param {Pick<Waiting, "id" | "text" | "at">} message
 * @param {Received} received
 * @returns {Conversation}
 */
export function accept(before, { id, text, at }, received) {
  if (received.status === "duplicate") return before;
  return receive(before, { id, text, at, attachments: received.attachments ?? [] }, received.position);
}

/**
 * The conversation after an event. Every event may come twice, or late.
 * @param {Conversation} before
 * @param {ShownLiveEvent} event
 * @param {number} now milliseconds since 1970
 * @returns {Conversation}
 */
export function apply(before, event, now) {
  switch (event.type) {
    case "message.received":
      return receive(
        before,
        { id: event.message_id, text: event.text, at: now, attachments: event.attachments ?? [] },
        event.position,
      );
    case "message.files": {
      const { attachments } = event;
      /** @template {{ readonly id: string }} Of @param {Of} entry */
      const withFiles = (entry) => (entry.id === event.message_id ? { ...entry, attachments } : entry);
      return { ...before, history: before.history.map(withFiles), waiting: before.waiting.map(withFiles) };
    }
    case "message.changed":
      return {
        ...before,
        history: before.history.map((entry) =>
          entry.id === event.message_id ? { ...entry, text: event.text } : entry,
        ),
        waiting: before.waiting.map((entry) =>
          entry.id === event.message_id ? { ...entry, text: event.text } : entry,
        ),
      };
    case "message.withdrawn":
      return {
        ...before,
        history: before.history.filter((entry) => entry.id !== event.message_id),
        waiting: before.waiting.filter((entry) => entry.id !== event.message_id),
      };
    case "run.started": {
      if (isOver(before, event.run_id)) return before;
      const draft = before.draft?.runId === event.run_id ? before.draft : undefined;
      return {
        ...take(before, event.message_ids),
        run: { id: event.run_id, phase: "working", label: "Starting" },
        draft,
      };
    }
    case "run.progress": {
      if (isOver(before, event.run_id)) return before;
      const { draft } = before;
      const again = draft !== undefined && draft.runId === event.run_id && draft.step === event.step;
      const run = { id: event.run_id, phase: /** @type {const} */ ("working"), label: event.label };
      return { ...before, run, draft: again ? undefined : draft };
    }
    case "text.delta":
      return write(before, event);
    case "delivery":
      return deliver(before, event.delivery);
    case "approval.decided": {
      const { approval_id: id, state, by = null, at } = event;
      const history = before.history.map((entry) =>
        entry.approval?.id === id
          ? { ...entry, approval: { ...entry.approval, state, decided_by: by, decided_at: at } }
          : entry,
      );
      const { run } = before;
      const goesOn = run?.phase === "waiting" && !history.some(isOpenApproval);
      return { ...before, history, run: goesOn ? { ...run, phase: "working", label: "" } : run };
    }
    case "run.ended": {
      const history = before.history.map((entry) => (runOf(entry.id) === event.run_id ? closed(entry) : entry));
      const ended = [...before.ended, event.run_id].slice(-MAX_ENDED);
      const run = before.run?.id === event.run_id ? undefined : before.run;
      // The draft stays until what was delivered takes its place, unless nothing will be.
      const silent = event.end === "silent" && before.draft?.runId === event.run_id;
      return { ...before, history, ended, run, draft: silent ? undefined : before.draft };
    }
  }
}

/**
 * How many messages are ahead of a waiting one, counting what is being answered.
 * @param {Conversation} conversation
 * @param {number} index
 */
export function aheadOf(conversation, index) {
  return index + (conversation.run === undefined ? 0 : 1);
}

/**
 * The question the bot waits on: its choices can be chosen.
 * @param {Conversation} conversation
 */
export function openQuestion(conversation) {
  if (conversation.run?.phase !== "waiting") return undefined;
  return conversation.history.findLast((entry) => entry.kind === "question")?.id;
}

/**
 * Whether a person's message is part of the conversation, said or waiting.
 * @param {Conversation} conversation
 * @param {string} id
 */
export function isKnown(conversation, id) {
  return conversation.history.some((entry) => entry.id === id) || conversation.waiting.some((entry) => entry.id === id);
}

/**
 * A call whose run is over before anybody decided: nothing is asked any more.
 * @param {Entry} entry
 * @returns {Entry}
 */
function closed(entry) {
  return isOpenApproval(entry) && entry.approval !== undefined
    ? { ...entry, approval: { ...entry.approval, state: "over" } }
    : entry;
}

/** @param {Entry} entry */
function isOpenApproval(entry) {
  return entry.approval?.state === "open";
}

const MAX_ENDED = 20;

/** @param {Conversation} conversation @param {string} runId */
function isOver(conversation, runId) {
  return conversation.ended.includes(runId);
}

/**
 * @param {Conversation} before
 * @param {Waiting} message
 * @param {number} position
 * @returns {Conversation}
 */
function receive(before, message, position) {
  if (isKnown(before, message.id)) return before;
  const beside = runsBeside(message.text);
  if (position > 0 && !beside) return { ...before, waiting: [...before.waiting, message] };
  const history = [...before.history, sayUser(message)];
  if (beside) return { ...before, history };
  return { ...before, history, run: { id: before.run?.id, phase: "working", label: before.run?.label ?? "" } };
}

/**
 * Moves messages from the line to what was said.
 * @param {Conversation} before
 * @param {readonly string[]} ids
 * @returns {Conversation}
 */
function take(before, ids) {
  const taken = before.waiting.filter((message) => ids.includes(message.id));
  if (taken.length === 0) return before;
  return {
    ...before,
    history: [...before.history, ...taken.map(sayUser)],
    waiting: before.waiting.filter((message) => !ids.includes(message.id)),
  };
}

/**
 * @param {Conversation} before
 * @param {Extract<ShownLiveEvent, { type: "text.delta" }>} event
 * @returns {Conversation}
 */
function write(before, { run_id: runId, step, text, reset }) {
  if (isOver(before, runId)) return before;
  const { draft } = before;
  const goesOn = reset !== true && draft !== undefined && draft.runId === runId && draft.step === step;
  const next = goesOn ? { ...draft, text: draft.text + text } : { runId, step, text, partial: reset !== true };
  return { ...before, run: { id: runId, phase: "working", label: "Writing" }, draft: next };
}

/**
 * @param {Conversation} before
 * @param {Extract<ShownLiveEvent, { type: "delivery" }>["delivery"]} delivery
 * @returns {Conversation}
 */
function deliver(before, { id, kind, text, choices, files, approval, answers, at }) {
  const moved = take(before, answers);
  const draft = moved.draft?.runId === runOf(id) ? undefined : moved.draft;
  if (moved.history.some((entry) => entry.id === id)) return { ...moved, draft };
  /** @type {Entry} */
  const entry = {
    id,
    role: "assistant",
    text,
    at: Date.parse(at),
    kind,
    choices: choices ?? [],
    attachments: [],
    files: files ?? [],
    approval,
  };
  const late = isOver(moved, runOf(id));
  const asks = (kind === "question" || isOpenApproval(entry)) && !late;
  const run = asks ? { id: runOf(id), phase: /** @type {const} */ ("waiting"), label: "" } : moved.run;
  return { ...moved, history: [...moved.history, late ? closed(entry) : entry], draft, run };
}

/** @param {TranscriptMessage} message @returns {Entry} */
function toEntry({ id, role, text, at, kind, choices, attachments, files, approval }) {
  return {
    id,
    role,
    text,
    at: Date.parse(at),
    kind,
    choices: choices ?? [],
    attachments: attachments ?? [],
    files: files ?? [],
    approval,
  };
}

/** @param {Waiting} message @returns {Entry} */
function sayUser({ id, text, at, attachments }) {
  return { id, role: "user", text, at, kind: undefined, choices: [], attachments, files: [], approval: undefined };
}

/** @param {Entry} entry */
function isKeptHere(entry) {
  return entry.role === "user" ? runsBeside(entry.text) : isPassing(entry.id);
}

/** @param {readonly Entry[]} said @param {readonly Entry[]} passing @returns {readonly Entry[]} */
function mergeByTime(said, passing) {
  const merged = [...said];
  for (const entry of passing) {
    const at = merged.findIndex((other) => other.at > entry.at);
    merged.splice(at < 0 ? merged.length : at, 0, entry);
  }
  return merged;
}
