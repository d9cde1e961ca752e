// @ts-check

/** @import { output } from "zod" */
/** @import { approvalSchema, conversationSchema, conversationSummarySchema, receivedSchema, stoppedSchema, transcriptMessageSchema } from "../../../api/contract.ts" */
/** @import { Requests } from "./requests.js" */

/** @typedef {output<typeof conversationSummarySchema>} ConversationSummary */

/** @template Item @typedef {{ data: Item[], has_more: boolean, next_cursor: string | null }} Page */

const PAGE = 200;
/** How long a message with files may take on its way. */
const UPLOAD_MS = 120_000;

/**
 * The server's API as the page uses it. Every function throws `Failure`.
 * @param {Requests} requests
 */
export function createApi({ call }) {
  /** @param {string} conversation @param {string} query */
  const readMessages = async (conversation, query) =>
    /** @type {Page<output<typeof transcriptMessageSchema>>} */ (
      await call("GET", `${pathOf(conversation)}/messages?${query}`)
    );

  return {
    /**
     * Sends a message. Safe to repeat: the same `message_id` is kept once.
     * @param {{ user_id: string, conversation_id: string, message_id: string, text: string, attachments?: readonly import("./outbox.js").SentFile[] }} message
     */
    async send(message) {
      return /** @type {output<typeof receivedSchema>} */ (
        await call("POST", "/v1/messages", message, message.attachments === undefined ? undefined : UPLOAD_MS)
      );
    },

    /** @param {string} message @param {string} text */
    async edit(message, text) {
      await call("PATCH", `/v1/messages/${encodeURIComponent(message)}`, { text });
    },

    /** @param {string} message */
    async withdraw(message) {
      await call("DELETE", `/v1/messages/${encodeURIComponent(message)}`);
    },

    /** @param {string} conversation */
    async stop(conversation) {
      return /** @type {output<typeof stoppedSchema>} */ (await call("POST", `${pathOf(conversation)}/stop`));
    },

    /**
     * Decides about an approval. Safe to repeat: the first decision counts.
     * @param {string} approval
     * @param {"approve" | "deny"} decision
     * @param {string} user
     */
    async decide(approval, decision, user) {
      const body = { decision, user_id: user };
      return /** @type {output<typeof approvalSchema>} */ (
        await call("POST", `/v1/approvals/${encodeURIComponent(approval)}`, body)
      );
    },

    /** @param {string} conversation */
    async conversation(conversation) {
      return /** @type {output<typeof conversationSchema>} */ (await call("GET", pathOf(conversation)));
    },

    /**
     * Everything that was said, oldest first.
     * @param {string} conversation
     */
    async transcript(conversation) {
      const all = [];
      let query = `limit=${PAGE}`;
      for (;;) {
        const page = await readMessages(conversation, query);
        all.push(...page.data);
        if (!page.has_more || page.next_cursor === null) return all;
        query = `limit=${PAGE}&cursor=${encodeURIComponent(page.next_cursor)}`;
      }
    },

    /**
     * The first message of a conversation.
     * @param {string} conversation
     */
    async firstMessage(conversation) {
      return (await readMessages(conversation, "limit=1")).data[0];
    },

    /**
     * A person's conversations, the latest first.
     * @param {string} user
     * @param {number} limit
     */
    async conversations(user, limit) {
      const page = /** @type {Page<ConversationSummary>} */ (
        await call("GET", `/v1/conversations?limit=${limit}&user_id=${encodeURIComponent(user)}`)
      );
      return page.data;
    },
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */

/**
 * The address of a conversation.
 * @param {string} conversation
 */
export function pathOf(conversation) {
  return `/v1/conversations/${encodeURIComponent(conversation)}`;
}
