import type { ConversationId, DeliveryId, MessageId, RunId, WorkspaceId } from "../kernel/ids.ts";
import type { LiveAttachment } from "../kernel/live.ts";
import type { FileRef, InboundMessage, OutboundMessage } from "../kernel/messages.ts";
import type { DecideOutcome, DecideRequest } from "./approvals/deciding.ts";
import type { ApprovalView, ShownApproval } from "./approvals/view.ts";
import type { QueueMode } from "./queue-mode.ts";

/** What happened to a message at the door. `position` is how many are ahead of it. */
export interface Received {
  readonly status: "started" | "queued" | "duplicate";
  readonly position: number;
}

/** Where a message is, as `GET /v1/messages/:id` shows it. */
export interface MessageStatus {
  readonly id: MessageId;
  readonly conversationId: ConversationId;
  readonly status: "queued" | "running" | "waiting" | "answered" | "failed" | "withdrawn";
  /** How many messages are ahead, while queued. */
  readonly position: number | undefined;
  readonly runId: RunId | undefined;
  /** How many steps its run has recorded. */
  readonly steps: number;
  readonly answers: readonly Answer[];
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

export interface Answer {
  readonly deliveryId: DeliveryId;
  readonly text: string;
  readonly files?: readonly FileRef[] | undefined;
  /** The platform's id of the posted message. */
  readonly postedId: string;
  readonly deliveredAt: number;
}

/** A message of a conversation as people saw it. */
export interface TranscriptMessage {
  readonly id: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly at: number;
  /** The run that wrote it, or that answers it. */
  readonly runId: RunId;
  readonly authorName?: string | undefined;
  /** What it was to its reader, for what the bot said. */
  readonly kind?: OutboundMessage["kind"] | undefined;
  /** The buttons under a question. */
  readonly choices?: readonly string[] | undefined;
  /** Files that came with a person's message, with what became of each. */
  readonly attachments?: readonly LiveAttachment[] | undefined;
  /** Files the bot sent along. */
  readonly files?: readonly FileRef[] | undefined;
  /** What was to be approved, and what became of it. */
  readonly approval?: ShownApproval | undefined;
}

export interface WaitingMessage {
  readonly id: MessageId;
  readonly text: string;
  readonly at: number;
  readonly workspaceId: WorkspaceId;
}

export interface ConversationView {
  readonly id: ConversationId;
  readonly platform: string;
  readonly owner: WorkspaceId;
  readonly lastActivityAt: number;
  readonly state: "idle" | "running" | "waiting";
  readonly runId: RunId | undefined;
  readonly queueMode: QueueMode;
  readonly waiting: readonly WaitingMessage[];
}

/** A run as `GET /v1/runs/:id` shows it. Times are milliseconds since 1970; durations milliseconds. */
export interface RunView {
  readonly id: RunId;
  readonly conversationId: ConversationId;
  readonly status: "running" | "waiting" | "done" | "failed" | "stopped" | "silent";
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly attempt: number | undefined;
  readonly messageIds: readonly MessageId[];
  readonly steps: readonly RunStepView[];
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface RunStepView {
  readonly name: string;
  /** `model` or the tool's name. */
  readonly what: string;
  readonly status: "done" | "failed" | "begun";
  readonly at: number;
  readonly ms: number;
  readonly tries: number;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

/** The one way in, and what can be asked about what came in. Platforms and the API use it; nothing else admits. */
export interface Door {
  /**
   * Keeps a message and sees to it that it is answered once. Resolves after it is durable: acknowledge then, not before.
   * Throws `InvalidInput` (code `conversation_full`) when too many wait already.
   */
  admit(message: InboundMessage): Promise<Received>;
  messageStatus(conversation: ConversationId, id: MessageId): Promise<MessageStatus | undefined>;
  /** Changes the text of a message that still waits. */
  editMessage(conversation: ConversationId, id: MessageId, text: string): Promise<"changed" | "taken" | "unknown">;
  withdrawMessage(conversation: ConversationId, id: MessageId): Promise<"withdrawn" | "taken" | "unknown">;
  /** Stops the current run, if there is one; its messages are answered with what had been done. */
  stop(conversation: ConversationId): Promise<{ readonly stopped: boolean; readonly runId: RunId | undefined }>;
  /** Forgets the conversation's history once the current run, if any, is over or stopped. */
  reset(conversation: ConversationId): Promise<void>;
  /** Newest conversations first; `before` is the cursor, a time. */
  conversations(query: {
    readonly workspaceId?: WorkspaceId;
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly Pick<ConversationView, "id" | "platform" | "lastActivityAt">[]>;
  conversation(id: ConversationId): Promise<ConversationView | undefined>;
  /** Everything people said and saw that is still kept, oldest first. */
  transcript(id: ConversationId): Promise<readonly TranscriptMessage[]>;
  run(id: RunId): Promise<RunView | undefined>;
  approval(id: string): Promise<ApprovalView | undefined>;
  /** What a conversation waits for, in the order in which it was asked. */
  openApprovals(conversation: ConversationId): Promise<readonly ApprovalView[]>;
  /** Decides about an approval; the first decision counts. */
  decideApproval(request: DecideRequest): Promise<DecideOutcome>;
}
