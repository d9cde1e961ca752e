import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { ApprovalCard } from "../kernel/messages.ts";

/** A file that came with a message; its content is fetched later, with `fetchFile`. */
export interface IncomingRef {
  readonly name: string;
  readonly mimeType: string;
  /** 0 when the platform does not say. */
  readonly bytes: number;
  /** The platform's own name of the file; never an address with a token in it. */
  readonly ref: string;
}

/** Who did something. `id` is the account as a workspace: `slack:U042`. */
export interface Speaker {
  readonly id: WorkspaceId;
  /** As others see the person. */
  readonly name: string;
  readonly isBot: boolean;
}

/** Where somebody spoke. */
export interface Place {
  readonly conversationId: ConversationId;
  /** The chat around the conversation, for allow-lists: `slack:C042` also for its threads. */
  readonly chat: string;
  /** Only this person and the bot are there. */
  readonly direct: boolean;
}

/** A message as a platform brings it, before it is known whether the bot is meant. */
export interface PlatformMessage extends Place {
  /** The platform's id of the message: with the conversation it is the dedupe key. */
  readonly id: string;
  readonly author: Speaker;
  /** Without the mention of the bot; a command begins with `/`. */
  readonly text: string;
  readonly files: readonly IncomingRef[];
  /** The bot is mentioned, replied to, or given a command. */
  readonly addressed: boolean;
  /** A thread: once the bot was addressed there, what follows is meant for it too. */
  readonly thread: boolean;
  /** Milliseconds since 1970, by the platform's clock. */
  readonly at: number;
}

/**
 * What became of a message. `kept`: it will be answered. `known`: it was kept before. `ignored`: the bot is not meant.
 * `told`: the person is told why it is not taken.
 */
export type Taken = "kept" | "known" | "ignored" | "told";

/** A press of a button under one of the bot's messages. */
export interface Press extends Place {
  readonly token: string;
  readonly by: Speaker;
  /** The platform's id of the press, the same when it is delivered again. */
  readonly id: string;
  readonly at: number;
}

/** What the person who pressed is told, and what stands below the message from then on. */
export interface Pressed {
  /** One short sentence for the person who pressed. */
  readonly notice: string;
  /** When set, the buttons go and this line takes their place. */
  readonly outcome?: string;
}

/**
 * The way in for platforms. Every call resolves when what it says is durable (or needs nothing): acknowledge then, and
 * not before. A call rejects only when it could not be kept, so that the platform brings it again.
 */
export interface Gateway {
  message(message: PlatformMessage): Promise<Taken>;
  /** The author changed a message: takes effect while it waits. */
  edited(change: {
    readonly conversationId: ConversationId;
    readonly id: string;
    readonly text: string;
  }): Promise<void>;
  /** A message was deleted: it is withdrawn while it waits. */
  deleted(change: { readonly conversationId: ConversationId; readonly id: string }): Promise<void>;
  pressed(press: Press): Promise<Pressed>;
  /** The whole card behind an approval's button, for a dialog; undefined when it is no approval or too old. */
  approval(token: string): Promise<ApprovalCard | undefined>;
  /** A run is going in this conversation. */
  busy(conversation: ConversationId): Promise<boolean>;
}

/** What a listener tells about itself; each call replaces what was said before. */
export interface ListenerReport {
  readonly connected: boolean;
  /** One sentence about what is wrong and what to do, for the operator. */
  readonly trouble?: string;
}

export interface ListenContext {
  readonly gateway: Gateway;
  readonly signal: AbortSignal;
  /** Tells whether events come in. */
  readonly report: (report: ListenerReport) => void;
  /** Notes that an event came in, whatever became of it. */
  readonly heard: () => void;
}

/** Something the platform calls over HTTP. */
export interface Webhook {
  readonly path: `/${string}`;
  handle(request: Request): Promise<Response>;
}

/** How a platform's events come in. */
export interface Listener {
  /** Only one process may listen with one account at a time: it is elected by lease. */
  readonly exclusive: boolean;
  /**
   * Listens until `signal` aborts, then ends everything and resolves. First fetches what was missed, where the platform
   * has a history. Rejects when it cannot go on (`OutsideError`: its message tells the operator what to do); it is then
   * called again after a wait. Beside `webhooks` it looks after them, in one process when `exclusive`; absent where
   * nothing has to be done.
   */
  listen?(context: ListenContext): Promise<void>;
  /** What the platform calls. Absent for platforms that are listened to. */
  webhooks?(context: Omit<ListenContext, "signal">): readonly Webhook[];
}
