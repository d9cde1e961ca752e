import type { ConversationId, DeliveryId, MessageId, RunId } from "./ids.ts";
import type { ApprovalCard, Attachment, FileRef, OutboundMessage } from "./messages.ts";

/**
 * What people watching a conversation are shown while it happens. Hints only: a lost one is made good by reading the
 * conversation. The one that matters, `delivery`, is sent in the same step that records the delivery.
 */
export type LiveEvent =
  | {
      readonly type: "message.received";
      readonly message_id: MessageId;
      readonly text: string;
      readonly position: number;
      readonly attachments?: readonly LiveAttachment[] | undefined;
    }
  /** The files of a message were looked at: what became of them. */
  | {
      readonly type: "message.files";
      readonly message_id: MessageId;
      readonly attachments: readonly LiveAttachment[];
    }
  | { readonly type: "message.changed"; readonly message_id: MessageId; readonly text: string }
  | { readonly type: "message.withdrawn"; readonly message_id: MessageId }
  | { readonly type: "run.started"; readonly run_id: RunId; readonly message_ids: readonly MessageId[] }
  /** A model or tool call began; `label` is a few words for a progress line. */
  | { readonly type: "run.progress"; readonly run_id: RunId; readonly step: string; readonly label: string }
  /** A piece of the text the model is writing in `step`. A new attempt of the step starts over with `reset`. */
  | {
      readonly type: "text.delta";
      readonly run_id: RunId;
      readonly step: string;
      readonly text: string;
      readonly reset?: true;
    }
  | { readonly type: "delivery"; readonly delivery: LiveDelivery }
  /** An approval is decided, or its time is over. */
  | {
      readonly type: "approval.decided";
      readonly approval_id: string;
      readonly state: "approved" | "denied" | "expired";
      readonly by?: string | undefined;
      readonly at: number;
    }
  | { readonly type: "run.ended"; readonly run_id: RunId; readonly end: string };

/** A delivered message as a page shows it. */
export interface LiveDelivery {
  readonly id: DeliveryId;
  readonly kind: OutboundMessage["kind"];
  readonly text: string;
  readonly choices?: readonly string[] | undefined;
  readonly files?: readonly FileRef[] | undefined;
  readonly approval?: ApprovalCard | undefined;
  readonly answers: readonly MessageId[];
  readonly at: number;
}

/** A file that came with a message, without what it says. */
export type LiveAttachment = Pick<Attachment, "name" | "mimeType" | "bytes" | "state" | "reason">;

/** The channel of a conversation's live events. */
export const liveChannel = (conversation: ConversationId): string => `parley:live:${conversation}`;
