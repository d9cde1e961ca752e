import type { ConversationId, DeliveryId, MessageId } from "../kernel/ids.ts";
import type { FileRef, OutboundMessage, PlatformName } from "../kernel/messages.ts";
import type { Listener } from "./listening.ts";

/** The message as the platform knows it. "Delivered" means that this id is stored. */
export interface Posted {
  readonly postedId: string;
}

/**
 * How a platform protects against sending twice when the outcome of a send is unknown.
 * - `by-record`: nothing leaves the process; recording the delivery is what publishes it.
 * - `by-key`: a repeated send with the same part id posts nothing new.
 * - `none`: a repeat may be seen twice and carries a mark that says so.
 */
export type SendSafety = "by-record" | "by-key" | "none";

/** What a platform can do beyond taking messages. The core asks these, never for a platform's name. */
export interface Abilities {
  /** Posted messages can be changed. */
  readonly edit: boolean;
  /** "… is typing" can be shown. */
  readonly typing: boolean;
  /** Answers can be shown while they are written. */
  readonly stream: boolean;
  /** Conversations can branch off a channel. */
  readonly threads: boolean;
  readonly buttons: boolean;
  readonly files: boolean;
  readonly reactions: boolean;
  /** Messages that only one person of a group sees. */
  readonly ephemeral: boolean;
  /** What was missed while nobody listened can be fetched. */
  readonly history: boolean;
}

/** A button under a message. `token` is what a press brings back; at most 32 characters, safe on every platform. */
export interface Button {
  readonly label: string;
  readonly token: string;
  readonly style: "plain" | "yes" | "no";
}

/** One message as it is posted: a piece of text in the platform's own markup, or a file. */
export interface Part {
  /** `runId:step:part`; the same on every try, so that a repeated send can be recognised. */
  readonly id: DeliveryId;
  readonly conversationId: ConversationId;
  readonly kind: OutboundMessage["kind"];
  /** What `render` made; empty for a file. */
  readonly text: string;
  /** Only with the last piece of text. */
  readonly buttons: readonly Button[];
  readonly file?: FileRef;
  /** The incoming messages it answers. */
  readonly answers: readonly MessageId[];
}

export interface SendContext {
  /** Set when an earlier try may have arrived: since when, in milliseconds since 1970. */
  readonly repeatSince: number | undefined;
  /** The message of a preview that this part takes the place of; only with the first part. */
  readonly draft: string | undefined;
  readonly signal: AbortSignal;
}

/** A chat platform as the core sees it. What it can do beyond sending is data, never a question of its name. */
export interface PlatformAdapter {
  readonly name: PlatformName;
  readonly sendSafety: SendSafety;
  readonly abilities: Abilities;
  /** A message's words in the platform's own form, cut to what it takes. Pure: the same message gives the same pieces. */
  render(message: OutboundMessage): readonly string[];
  /** Posts one part. Throws `OutsideError` and nothing else; a wait that the platform asks for is in its `retry`. */
  send(part: Part, context: SendContext): Promise<Posted>;
  /** Shows that a run is going; absent where nothing can be shown. */
  readonly presence?: Presence;
  /** How messages come in; absent where the API takes them. */
  readonly listener?: Listener;
  /** Fetches a file that a person sent, by the `ref` the message named. Throws `OutsideError`. */
  fetchFile?(ref: string, limits: { readonly maxBytes: number; readonly signal: AbortSignal }): Promise<FetchedFile>;
  /** Ends what the sending side holds open. */
  close?(): Promise<void>;
}

export interface FetchedFile {
  readonly content: Uint8Array;
  readonly mimeType?: string;
  /** There is more than `maxBytes`; the content is cut. */
  readonly more: boolean;
}

/**
 * Signs of life while a run is going. Hints: a failure is logged and forgotten, nothing waits for them. Messages that
 * are left behind (a progress line, a preview) are noted by their id, so that another process can remove them.
 */
export interface Presence {
  /** How often `typing` has to be repeated to stay visible, milliseconds. */
  readonly typingEveryMs: number;
  typing?(conversation: ConversationId, signal: AbortSignal): Promise<void>;
  /** Shows one line about what is being done, in place of the message `previous`; gives the id of that message, if there is one. */
  progress?(
    conversation: ConversationId,
    line: string,
    previous: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Removes the line. */
  clearProgress?(conversation: ConversationId, previous: string | undefined, signal: AbortSignal): Promise<void>;
  /** How far apart previews should be, milliseconds. */
  readonly previewEveryMs?: number;
  /**
   * Shows the text so far of what the model is writing; gives the id of the message that shows it, if there is one. That
   * message is later given to `send` as `draft`.
   */
  preview?(
    conversation: ConversationId,
    preview: { readonly text: string; readonly draft: string | undefined; readonly step: string },
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

/** What stands before a part that may be seen twice, for platforms without any means against it. */
export const REPEAT_MARK = "(This may repeat what you already got.)";
