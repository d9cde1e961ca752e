// @ts-check
import { computed, effect, signal, untracked } from "@preact/signals";
import { createApi } from "../net/api.js";
import { createOutbox } from "../net/outbox.js";
import { createRequests } from "../net/requests.js";
import { runsBeside } from "../state/commands.js";
import { describe, Failure } from "../state/failures.js";
import { createConversationList } from "./conversation-list.js";
import { newConversationId, newId } from "./ids.js";
import { openConversation } from "./open-conversation.js";

/** @import { Kept } from "./kept.js" */
/** @import { OpenConversation } from "./open-conversation.js" */

/**
 * The page's whole state and everything a person can do in it.
 * @param {{ kept: Kept, fetch: typeof globalThis.fetch, botName: string }} parts
 */
export function createChat({ kept, fetch, botName }) {
  const user = signal(kept.user.read());
  const needsKey = signal(false);
  /** @type {import("@preact/signals").Signal<{ text: string, count: number } | undefined>} */
  const notice = signal(undefined);

  const requests = createRequests({
    fetch,
    key: kept.key.read,
    onUnauthorized: () => {
      needsKey.value = true;
    },
  });
  const api = createApi(requests);
  const list = createConversationList({ api, titles: kept.titles, user: () => user.value });
  const outbox = createOutbox({
    api,
    storage: kept.unsent,
    onAccepted(message, received) {
      if (message.conversation === open.value.id) open.value.accepted(message, received);
      void list.refresh();
    },
  });

  /** @param {string} id */
  function connect(id) {
    return openConversation({
      id,
      api,
      requests,
      onEvent(event) {
        if (event.type === "delivery") void list.refresh();
      },
    });
  }

  const open = signal(connect(kept.conversation.read() ?? newConversationId()));
  kept.conversation.write(open.value.id);
  const unsent = computed(() => outbox.unsent.value.filter((message) => message.conversation === open.value.id));

  // Whoever hears the server can be heard by it.
  effect(() => {
    if (open.value.link.value === "live") untracked(() => outbox.retry());
  });

  /** @param {string} id */
  function show(id) {
    if (id === open.value.id) return;
    open.value.close();
    open.value = connect(id);
    kept.conversation.write(id);
  }

  /** @param {string} text */
  function tell(text) {
    notice.value = { text, count: (notice.value?.count ?? 0) + 1 };
  }

  /**
   * Does something to a message or a run that may meanwhile be gone; a failure is told in a sentence.
   * @param {() => Promise<void>} act
   */
  async function attempt(act) {
    try {
      await act();
      return true;
    } catch (error) {
      tell(describe(error));
      if (error instanceof Failure && error.status > 0) void open.value.sync();
      return false;
    }
  }

  return {
    botName,
    user,
    needsKey,
    notice,
    list,
    open,
    /** Messages of the open conversation that the server has not confirmed. */
    unsent,
    outbox,
    show,
    tell,

    /** Begins a conversation; the server hears of it with the first message. */
    startNew() {
      show(newConversationId());
    },

    /**
     * @param {string} text
     * @param {readonly import("../net/outbox.js").SentFile[]} [attachments]
     */
    send: (text, attachments = []) => {
      const conversation = open.value.id;
      if (!runsBeside(text)) list.entitle(conversation, text === "" ? (attachments[0]?.name ?? "") : text);
      const files = attachments.length === 0 ? {} : { attachments };
      outbox.send({ id: newId(), conversation, user: user.value, text, at: Date.now(), ...files });
    },

    /**
     * Changes a message that still waits. Resolves with whether it was changed.
     * @param {string} id
     * @param {string} text
     */
    edit: (id, text) =>
      attempt(async () => {
        await api.edit(id, text);
        open.value.note({ type: "message.changed", message_id: id, text });
      }),

    /** @param {string} id */
    withdraw: (id) =>
      attempt(async () => {
        await api.withdraw(id);
        open.value.note({ type: "message.withdrawn", message_id: id });
        tell("Withdrawn.");
      }),

    /**
     * Decides about a call the bot has asked about. Resolves with whether that counts.
     * @param {string} id
     * @param {"approve" | "deny"} decision
     */
    decide: (id, decision) =>
      attempt(async () => {
        const { state, decided_by: by, decided_at: at } = await api.decide(id, decision, user.value);
        if (state !== "approved" && state !== "denied") return;
        const told = { type: /** @type {const} */ ("approval.decided"), approval_id: id, state, by: by ?? user.value };
        open.value.note({ ...told, at: at ?? new Date().toISOString() });
      }),

    stop: () =>
      attempt(async () => {
        const { stopped } = await api.stop(open.value.id);
        if (stopped) return;
        tell("Nothing was running any more.");
        void open.value.sync();
      }),

    /**
     * Talks as another person from now on, in a new conversation.
     * @param {string} name
     */
    changeUser(name) {
      if (name === user.value) return;
      user.value = name;
      kept.user.write(name);
      show(newConversationId());
      void list.refresh();
    },

    /** @param {string} key */
    useKey(key) {
      kept.key.write(key);
      needsKey.value = false;
      wake();
    },

    forgetKey() {
      kept.key.write(undefined);
      tell("The key is forgotten.");
    },

    hasKey: () => kept.key.read() !== undefined,
    wake,
  };

  /** Tries everything that waits for better times, now. */
  function wake() {
    open.value.retry();
    outbox.retry();
    void list.refresh();
  }
}

/** @typedef {ReturnType<typeof createChat>} Chat */
