import { isControl } from "../../agent/command-text.ts";
import type { ChatEvent } from "./chat-event.ts";

/**
 * A message of ours that is not answered yet. `sending` until the bot has it, `queued` behind `ahead` others, `taken`
 * by a run, `asked` when its run waits for the answer to a question.
 */
export interface Pending {
  readonly id: string;
  readonly text: string;
  readonly state: "sending" | "queued" | "taken" | "asked";
  readonly ahead: number;
}

/** What is known of a conversation while it goes on. Changed only by the pure functions here. */
export interface ChatState {
  /** Whether the conversation is being followed: not yet, now, or no longer until the connection is back. */
  readonly link: "opening" | "open" | "lost";
  /** The run that is going, with a few words on what it does. */
  readonly run: { readonly id: string; readonly label: string } | undefined;
  /** The run that ended last: what comes late from it does not count. */
  readonly endedRun: string | undefined;
  /** Oldest first. */
  readonly pending: readonly Pending[];
  /** The question that the next message answers. */
  readonly question: { readonly choices: readonly string[] } | undefined;
  /** The calls that wait for `/approve` or `/deny`. */
  readonly approvals: readonly string[];
}

/** Before anything is known. */
export const INITIAL: ChatState = {
  link: "opening",
  run: undefined,
  endedRun: undefined,
  pending: [],
  question: undefined,
  approvals: [],
};

/** A message of ours is on its way. A plain message is the answer to an open question. */
export function afterSend(state: ChatState, id: string, text: string): ChatState {
  return {
    ...state,
    pending: [...state.pending, { id, text, state: "sending", ahead: 0 }],
    question: isControl(text) ? state.question : undefined,
  };
}

/** The bot has a message of ours. An event about it may have come before. */
export function afterReply(
  state: ChatState,
  id: string,
  { status, position }: { readonly status: "started" | "queued" | "duplicate"; readonly position: number },
): ChatState {
  return change(state, id, (message) =>
    message.state === "sending"
      ? { ...message, state: status === "queued" ? "queued" : "taken", ahead: position }
      : message,
  );
}

/** A message of ours is answered, withdrawn or refused. */
export function afterSettled(state: ChatState, id: string): ChatState {
  return { ...state, pending: state.pending.filter((message) => message.id !== id) };
}

/** The run of our messages waits for an answer, to these choices if there are some. */
export function afterQuestion(state: ChatState, choices: readonly string[] = []): ChatState {
  return { ...waits(state), question: { choices } };
}

/** The run of our messages waits for somebody to approve a call. */
function afterAsking(state: ChatState, approval: string): ChatState {
  const approvals = [...state.approvals.filter((id) => id !== approval), approval];
  return { ...waits(state), approvals };
}

/** An approval is decided: the run goes on when it waits for no other. */
function afterDecision(state: ChatState, approval: string): ChatState {
  const approvals = state.approvals.filter((id) => id !== approval);
  if (approvals.length > 0 || approvals.length === state.approvals.length) return { ...state, approvals };
  return { ...goesOn(state), approvals };
}

function waits(state: ChatState): ChatState {
  const pending = state.pending.map((message) =>
    isControl(message.text) ? message : { ...message, state: "asked" as const },
  );
  return { ...state, pending };
}

function goesOn(state: ChatState): ChatState {
  const pending = state.pending.map((message) =>
    message.state === "asked" ? { ...message, state: "taken" as const } : message,
  );
  return { ...state, pending };
}

/** What the conversation is doing, as the bot says when it is asked after an interruption. */
export function afterLook(
  state: ChatState,
  seen: { readonly state: "idle" | "running" | "waiting"; readonly run_id: string | null } | undefined,
): ChatState {
  const doing = seen?.state ?? "idle";
  const id = seen?.run_id ?? undefined;
  const run =
    id === undefined || doing === "idle" ? undefined : { id, label: state.run?.id === id ? state.run.label : "" };
  if (doing !== "waiting") return { ...goesOn(state), run, question: undefined, approvals: [] };
  if (state.approvals.length > 0) return { ...waits(state), run };
  // A question that was not shown yet is still to come. What is on its way may be the answer to the one that was.
  const answering = state.pending.some((message) => message.state === "sending" && !isControl(message.text));
  return state.question === undefined || answering
    ? { ...state, run }
    : { ...afterQuestion(state, state.question.choices), run };
}

/** What follows from an event, apart from what it says and whom it answers. */
export function afterEvent(state: ChatState, event: ChatEvent): ChatState {
  switch (event.type) {
    case "run.started":
      return event.message_ids.reduce<ChatState>(
        (now, id) => change(now, id, (message) => ({ ...message, state: "taken", ahead: 0 })),
        { ...state, run: { id: event.run_id, label: "" } },
      );
    case "run.progress":
      return isLate(state, event) ? state : { ...state, run: { id: event.run_id, label: event.label } };
    case "run.ended": {
      // Commands run beside the conversation and end without having begun here.
      if (state.run?.id !== event.run_id) return state;
      const pending = state.pending.map((message) => ({ ...message, ahead: Math.max(0, message.ahead - 1) }));
      return { ...state, run: undefined, endedRun: event.run_id, question: undefined, approvals: [], pending };
    }
    case "message.withdrawn":
      return afterSettled(state, event.message_id);
    case "delivery": {
      const { kind, choices, approval } = event.delivery;
      if (approval?.state === "open") return afterAsking(state, approval.id);
      return kind === "question" ? afterQuestion(state, choices) : state;
    }
    case "approval.decided":
      return afterDecision(state, event.approval_id);
    case "message.received":
    case "text.delta":
      return state;
  }
}

/** True for what a run that is over, for instance stopped, still sends. */
export function isLate(state: ChatState, event: ChatEvent): boolean {
  return (event.type === "run.progress" || event.type === "text.delta") && event.run_id === state.endedRun;
}

/** True when nothing more will be said before somebody speaks: all is answered, or waits for the answer to a question. */
export function isQuiet(state: ChatState): boolean {
  return state.pending.every((message) => message.state === "asked");
}

/** True while the bot works for this conversation, so that there is something to stop. */
export function isBusy(state: ChatState): boolean {
  return state.run !== undefined || state.pending.some((message) => !isControl(message.text));
}

function change(state: ChatState, id: string, how: (message: Pending) => Pending): ChatState {
  return { ...state, pending: state.pending.map((message) => (message.id === id ? how(message) : message)) };
}
