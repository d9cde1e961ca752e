import { z } from "zod";
import type { ConversationId, DeliveryId, MessageId, WorkspaceId } from "./ids.ts";

/** The places a conversation can live in. `api` has no account of its own: its answers are read over HTTP. */
export const PLATFORMS = ["api", "web", "terminal", "slack", "discord", "telegram"] as const;
export type PlatformName = (typeof PLATFORMS)[number];

const id = <T extends string>() => z.custom<T>((value) => typeof value === "string" && value.length > 0);

/**
 * What became of a file that came with a message. `received` is kept and not looked at yet; `read` means that its text
 * stands in the conversation, `shown` that the model gets the image itself.
 */
export const attachmentStateSchema = z.enum(["received", "read", "shown", "unsupported", "too-large", "failed"]);
export type AttachmentState = z.infer<typeof attachmentStateSchema>;

/** A file that came with a message. `state` and `reason` are what people and the model are told about it. */
export const attachmentSchema = z.object({
  name: z.string(),
  mimeType: z.string(),
  bytes: z.number().int().nonnegative(),
  /** Where its content can be fetched, when the sender only named the place. */
  url: z.string().optional(),
  /** What the conversation's platform calls it, when its content is to be fetched there. */
  ref: z.string().optional(),
  /** Under which its content is kept until it is read, in the sender's workspace. */
  upload: z.string().optional(),
  state: attachmentStateSchema,
  /** Why it could not be used, or what of it could not, in a few words. */
  reason: z.string().optional(),
  /** What it says, once it was read. */
  text: z.string().optional(),
});
export type Attachment = z.infer<typeof attachmentSchema>;

/**
 * Everything that enters, whatever it came from, in the one form the loop reads. Its `id` is its dedupe key: the same
 * id in the same conversation is kept once.
 */
export const inboundMessageSchema = z.object({
  id: id<MessageId>(),
  conversationId: id<ConversationId>(),
  /** Whose permissions, memory and budget the run uses. */
  workspaceId: id<WorkspaceId>(),
  /** The account it came from, when that is linked to another account's workspace. */
  identity: id<WorkspaceId>().optional(),
  /** The author's name as others see it, shown to the model in groups. */
  authorName: z.string().optional(),
  /** Several people have spoken in the conversation; set at the door. */
  shared: z.boolean().optional(),
  text: z.string(),
  attachments: z.array(attachmentSchema).optional(),
  /** When it was received, in milliseconds since 1970. */
  at: z.number(),
});
export type InboundMessage = z.infer<typeof inboundMessageSchema>;

/** A file the bot sends along. Its content is an artifact of the person `user_id`. */
export const fileSchema = z.object({
  artifact_id: z.string(),
  name: z.string(),
  media_type: z.string(),
  bytes: z.number().int().nonnegative(),
  user_id: id<WorkspaceId>(),
});
export type FileRef = z.infer<typeof fileSchema>;

/** What a delivery is to its reader; platforms show a question and an approval with buttons and an error plainly. */
export const deliveryKindSchema = z.enum(["answer", "error", "question", "approval", "notice"]);

/** A call that waits for a person's approval, as it is shown to them. What is shown is what will be executed. */
export const approvalCardSchema = z.object({
  id: z.string(),
  tool: z.string(),
  /** The exact arguments as JSON for people; secrets are hidden, and what is too long is cut with a note. */
  arguments: z.string(),
  /** Why it is asked, in one sentence. */
  reason: z.string(),
  /** The person who is asked; administrators may decide as well. */
  askedOf: id<WorkspaceId>(),
  askedAt: z.number(),
  /** When no answer becomes a no, milliseconds since 1970. */
  expiresAt: z.number(),
});
export type ApprovalCard = z.infer<typeof approvalCardSchema>;

/** One message on its way out. It stays in the conversation's outbox until the platform has named the posted message. */
export const outboundMessageSchema = z.object({
  id: id<DeliveryId>(),
  conversationId: id<ConversationId>(),
  kind: deliveryKindSchema,
  text: z.string(),
  /** Buttons under a question, in order; empty for free text. */
  choices: z.array(z.string()).optional(),
  /** Files that belong to it, in the order in which they were made. */
  files: z.array(fileSchema).optional(),
  /** What is to be approved, for an `approval`; `text` says the same in words. */
  approval: approvalCardSchema.optional(),
  /** The incoming messages this settles; each gets the delivery noted in its record. */
  answers: z.array(id<MessageId>()),
  at: z.number(),
});
export type OutboundMessage = z.infer<typeof outboundMessageSchema>;

/** Where the answers of a conversation go, read from the first part of its id; anything unknown is answered over the API. */
export function platformOf(conversation: ConversationId): PlatformName {
  const head = conversation.split(":", 1)[0];
  return PLATFORMS.find((name) => name === head) ?? "api";
}
