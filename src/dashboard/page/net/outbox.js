// @ts-check
import { signal } from "@preact/signals";
import { backoffMs } from "../state/backoff.js";
import { describe, judge } from "../state/failures.js";
import { createNudge } from "./nudge.js";

/** @import { Api } from "./api.js" */
/** @import { Received } from "../state/conversation.js" */

/** @typedef {{ readonly name: string, readonly media_type?: string, readonly content_base64: string }} SentFile A file with its content. */

/**
 * @typedef {object} Unsent A message the server has not confirmed yet.
 * @property {string} id
 * @property {string} conversation
 * @property {string} user
 * @property {string} text
 * @property {number} at
 * @property {readonly SentFile[]} [attachments]
 * @property {"sending" | "retrying" | "refused"} state
 * @property {string} reason why it is not sent, for people
 */

const RETRY = { first: 500, most: 10_000 };

/**
 * Keeps messages until the server has them, over reloads too, and sends them in order. A message keeps its id over every
 * try, so the server keeps it once however often it arrives.
 * @param {object} parts
 * @param {Pick<Api, "send">} parts.api
 * @param {{ read(): readonly Unsent[], write(unsent: readonly Unsent[]): void }} parts.storage
 * @param {(message: Unsent, received: Received) => void} parts.onAccepted
 */
export function createOutbox({ api, storage, onAccepted }) {
  /** @type {import("@preact/signals").Signal<readonly Unsent[]>} */
  const unsent = signal(storage.read());
  const nudge = createNudge();
  let busy = false;

  /** @param {readonly Unsent[]} next */
  function keep(next) {
    unsent.value = next;
    storage.write(next);
  }

  /** @param {string} id @param {Partial<Unsent>} change */
  function change(id, change) {
    keep(unsent.value.map((message) => (message.id === id ? { ...message, ...change } : message)));
  }

  async function work() {
    if (busy) return;
    busy = true;
    let failures = 0;
    for (;;) {
      const message = unsent.value.find((each) => each.state !== "refused");
      if (message === undefined) break;
      try {
        const received = await api.send({
          user_id: message.user,
          conversation_id: message.conversation,
          message_id: message.id,
          text: message.text,
          ...(message.attachments === undefined ? {} : { attachments: message.attachments }),
        });
        failures = 0;
        onAccepted(message, received);
        keep(unsent.value.filter((each) => each.id !== message.id));
      } catch (error) {
        const verdict = judge(error);
        if (verdict === "refused") {
          change(message.id, { state: "refused", reason: describe(error) });
          continue;
        }
        failures += 1;
        change(message.id, { state: "retrying", reason: describe(error) });
        // Without a key only the person can help; then `retry` is called.
        await nudge.wait(verdict === "unauthorized" ? 3_600_000 : backoffMs(failures, RETRY, Math.random()));
      }
    }
    busy = false;
  }

  return {
    unsent,

    /** @param {Omit<Unsent, "state" | "reason">} message */
    send(message) {
      keep([...unsent.value, { ...message, state: "sending", reason: "" }]);
      void work();
    },

    /** Sends what is there, now: when the page begins, and when the server is back. */
    retry() {
      if (busy) nudge.now();
      void work();
    },

    /**
     * Tries a refused message again.
     * @param {string} id
     */
    again(id) {
      change(id, { state: "sending", reason: "" });
      void work();
    },

    /** @param {string} id */
    discard(id) {
      keep(unsent.value.filter((message) => message.id !== id));
    },
  };
}

/** @typedef {ReturnType<typeof createOutbox>} Outbox */
