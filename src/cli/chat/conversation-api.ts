import type { z } from "zod";
import {
  conversationSchema,
  messageStatusSchema,
  pageSchema,
  receivedSchema,
  transcriptMessageSchema,
} from "../../api/contract.ts";
import { OutsideError } from "../../kernel/errors.ts";
import type { BotClient } from "../bot-client.ts";
import type { ChatEvent } from "./chat-event.ts";
import { followEvents } from "./event-stream.ts";
import type { SentFile } from "./files.ts";

export type Received = z.output<typeof receivedSchema>;
export type MessageStatus = z.output<typeof messageStatusSchema>;
export type Conversation = z.output<typeof conversationSchema>;
export type TranscriptMessage = z.output<typeof transcriptMessageSchema>;

/** One person's side of one conversation. Every method throws `OutsideError` and may be repeated. */
export interface ConversationApi {
  /** Sends a message; the same id is kept once, however often it is sent. */
  send(id: string, text: string, signal: AbortSignal, files?: readonly SentFile[]): Promise<Received>;
  /** Where a message is; undefined when the bot does not know it. */
  message(id: string, signal: AbortSignal): Promise<MessageStatus | undefined>;
  /** What the conversation is doing; undefined before its first message. */
  look(signal: AbortSignal): Promise<Conversation | undefined>;
  /** Everything said so far, oldest first. */
  transcript(signal: AbortSignal): Promise<readonly TranscriptMessage[]>;
  /** See {@link followEvents}. */
  follow(lastEventId: string | undefined, signal: AbortSignal): AsyncIterable<ChatEvent | { readonly type: "open" }>;
}

/** Binds a bot's API to one conversation and the person who speaks. */
export function createConversationApi(
  bot: BotClient,
  who: { readonly user: string; readonly conversation: string },
): ConversationApi {
  const { user, conversation } = who;
  const path = `/v1/conversations/${encodeURIComponent(conversation)}`;

  return {
    send: (id, text, signal, files = []) =>
      bot.ask(
        {
          method: "POST",
          path: "/v1/messages",
          body: {
            user_id: user,
            conversation_id: conversation,
            message_id: id,
            text,
            ...(files.length === 0 ? {} : { attachments: files }),
          },
          signal,
        },
        receivedSchema,
      ),
    message: (id, signal) =>
      unlessMissing(bot.ask({ path: `/v1/messages/${encodeURIComponent(id)}`, signal }, messageStatusSchema)),
    look: (signal) => unlessMissing(bot.ask({ path, signal }, conversationSchema)),
    async transcript(signal) {
      const all: TranscriptMessage[] = [];
      let cursor = "";
      for (;;) {
        const page = await readPage(`${path}/messages?limit=200${cursor}`, signal);
        if (page === undefined && cursor === "") return [];
        all.push(...(page?.data ?? []));
        if (page?.next_cursor === null) return all;
        // Without a page the conversation was begun anew between two pages: read it again.
        if (page === undefined) all.length = 0;
        cursor = page === undefined ? "" : `&cursor=${encodeURIComponent(page.next_cursor)}`;
      }
    },
    follow: (lastEventId, signal) => followEvents(bot, { conversation, lastEventId, signal }),
  };

  async function readPage(path: string, signal: AbortSignal) {
    try {
      return await bot.ask({ path, signal }, transcriptPage);
    } catch (error) {
      const gone = error instanceof OutsideError && GONE.includes(error.code);
      if (gone && (error.code === "not-found" || path.includes("&cursor="))) return undefined;
      throw error;
    }
  }
}

const GONE = ["not-found", "bad-request"];

const transcriptPage = pageSchema(transcriptMessageSchema);

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof OutsideError && error.code === "not-found") return undefined;
    throw error;
  }
}
