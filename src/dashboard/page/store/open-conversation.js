// @ts-check
import { batch, signal } from "@preact/signals";
import { watch } from "../net/watch.js";
import { accept, apply, EMPTY, fromServer, reconcile } from "../state/conversation.js";
import { describe, Failure } from "../state/failures.js";

/** @import { ShownLiveEvent } from "../../../api/contract.ts" */
/** @import { Api } from "../net/api.js" */
/** @import { Requests } from "../net/requests.js" */
/** @import { Conversation, Received, Waiting } from "../state/conversation.js" */

/** How long after a run's end the server is asked what it does now. */
const SETTLE_MS = 400;
const ASK_AGAIN_MS = 3_000;

/**
 * One conversation kept in step with the server until `close`: its events as they come, and everything again after
 * every gap.
 * @param {object} parts
 * @param {string} parts.id
 * @param {Api} parts.api
 * @param {Requests} parts.requests
 * @param {(event: ShownLiveEvent) => void} parts.onEvent
 */
export function openConversation({ id, api, requests, onEvent }) {
  /** @type {import("@preact/signals").Signal<Conversation>} */
  const conversation = signal(EMPTY);
  /** @type {import("@preact/signals").Signal<import("../net/watch.js").Link>} */
  const link = signal("connecting");
  const loaded = signal(false);
  /** @type {import("@preact/signals").Signal<string | undefined>} */
  const problem = signal(undefined);
  let closed = false;
  /** @type {ShownLiveEvent[] | undefined} Events that come while the server is being asked; they are newer than its answer. */
  let held;
  let askAgain = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;

  /** @param {ShownLiveEvent} event */
  function show(event) {
    conversation.value = apply(conversation.value, event, Date.now());
    onEvent(event);
    if (event.type !== "run.ended") return;
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLE_MS);
  }

  /**
   * Asks the server and applies its answer, then what happened meanwhile.
   * @template Answer
   * @param {() => Promise<Answer>} ask
   * @param {(answer: Answer) => Conversation} use
   */
  async function bringUpToDate(ask, use) {
    held ??= [];
    try {
      const answer = await ask();
      if (closed) return;
      batch(() => {
        conversation.value = use(answer);
        loaded.value = true;
        problem.value = undefined;
      });
    } catch (error) {
      if (closed || (error instanceof Failure && error.status === 401)) return;
      problem.value = describe(error);
      clearTimeout(settling);
      settling = setTimeout(sync, ASK_AGAIN_MS);
    } finally {
      const events = held;
      held = undefined;
      for (const event of events) show(event);
    }
  }

  async function sync() {
    if (held !== undefined) {
      askAgain = true;
      return;
    }
    do {
      askAgain = false;
      await bringUpToDate(
        async () => {
          // In this order a message that is taken meanwhile is seen twice rather than never.
          const view = await findConversation();
          return { view, transcript: view === undefined ? [] : await api.transcript(id) };
        },
        ({ view, transcript }) => fromServer(conversation.value, view, transcript),
      );
    } while (askAgain && !closed);
  }

  async function settle() {
    const { draft, ended } = conversation.value;
    // Text without a message, after the end: the message was missed.
    if (draft !== undefined && ended.includes(draft.runId)) return sync();
    if (held !== undefined) return;
    await bringUpToDate(findConversation, (view) =>
      view === undefined ? conversation.value : reconcile(conversation.value, view),
    );
    if (askAgain) await sync();
  }

  async function findConversation() {
    try {
      return await api.conversation(id);
    } catch (error) {
      if (error instanceof Failure && error.status === 404) return undefined;
      throw error;
    }
  }

  const watching = watch({
    requests,
    conversation: id,
    watcher: {
      link: (next) => {
        link.value = next;
      },
      opened: () => void sync(),
      refused: () => void sync(),
      event: (event) => {
        if (held === undefined) show(event);
        else held.push(event);
      },
    },
  });

  return {
    id,
    conversation,
    link,
    /** Whether the server has told what was said. */
    loaded,
    /** Why it could not, for people. */
    problem,
    /** @param {Pick<Waiting, "id" | "text" | "at">} message @param {Received} received */
    accepted(message, received) {
      conversation.value = accept(conversation.value, message, received);
      // Events that came before this conversation existed on the server were not heard.
      if (received.status === "duplicate" || link.value !== "live") void sync();
      watching.retry();
    },
    /** Notes a change that this page made, without waiting to hear of it. @param {ShownLiveEvent} event */
    note: (event) => {
      conversation.value = apply(conversation.value, event, Date.now());
    },
    sync,
    /** Connects now instead of waiting. */
    retry: watching.retry,
    close() {
      closed = true;
      clearTimeout(settling);
      watching.stop();
    },
  };
}

/** @typedef {ReturnType<typeof openConversation>} OpenConversation */
