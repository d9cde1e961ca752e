import type { ChatState } from "./chat-state.ts";
import type { ChatEvent, Delivery } from "./chat-event.ts";
import type { TranscriptMessage } from "./conversation-api.ts";

/** Shows a conversation. Methods neither throw nor block; texts come as they are and the view makes them harmless. */
export interface ChatView {
  /** What was said before this program came, oldest first. */
  earlier(messages: readonly TranscriptMessage[]): void;
  /** Something the bot says. `own` when it answers a message sent from here. */
  said(delivery: Delivery, own: boolean): void;
  /** A piece of what the model is writing. */
  writing(piece: Extract<ChatEvent, { type: "text.delta" }>): void;
  /** A message that somebody else sent to this conversation. */
  heard(text: string): void;
  /** Something that went wrong, in one sentence. */
  trouble(sentence: string): void;
  /** The state changed. */
  changed(state: ChatState): void;
}
