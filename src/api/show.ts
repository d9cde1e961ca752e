import type { z } from "zod";
import type { ConversationView, Door, MessageStatus, RunView, TranscriptMessage } from "../agent/door-contract.ts";
import type { ApprovalView, ShownApproval } from "../agent/approvals/view.ts";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { LiveAttachment } from "../kernel/live.ts";
import type { FileRef } from "../kernel/messages.ts";
import type { ApiKey } from "../store/api-keys.ts";
import type { Artifact } from "../store/artifacts.ts";
import type { LinkSigner } from "../store/artifact-links.ts";
import type { MemoryListing } from "../store/memory.ts";
import type {
  approvalSchema,
  artifactSchema,
  conversationSchema,
  conversationSummarySchema,
  keySchema,
  memorySchema,
  messageStatusSchema,
  runSchema,
  shownApprovalSchema,
  transcriptMessageSchema,
} from "./contract.ts";

// The views of the parts in their public shape: names in snake_case, times as ISO strings, null for what is not there.

/** Where a message is. */
export function showMessageStatus(status: MessageStatus, links: LinkSigner): z.output<typeof messageStatusSchema> {
  return {
    id: status.id,
    conversation_id: status.conversationId,
    status: status.status,
    position: status.position ?? null,
    run_id: status.runId ?? null,
    steps: status.steps,
    answers: status.answers.map((answer) => ({
      delivery_id: answer.deliveryId,
      text: answer.text,
      posted_id: answer.postedId,
      delivered_at: showInstant(answer.deliveredAt),
      ...(answer.files === undefined ? {} : { files: showFiles(answer.files, links) }),
    })),
    error: status.error ?? null,
  };
}

/** A conversation in the list. */
export function showConversationSummary(
  conversation: Awaited<ReturnType<Door["conversations"]>>[number],
): z.output<typeof conversationSummarySchema> {
  const { id, platform, lastActivityAt } = conversation;
  return { id, platform, last_activity_at: showInstant(lastActivityAt) };
}

/** What a conversation is doing. */
export function showConversation(conversation: ConversationView): z.output<typeof conversationSchema> {
  return {
    ...showConversationSummary(conversation),
    user_id: conversation.owner,
    state: conversation.state,
    run_id: conversation.runId ?? null,
    queue_mode: conversation.queueMode,
    waiting: conversation.waiting.map(({ id, workspaceId, text, at }) => ({
      id,
      user_id: workspaceId,
      text,
      at: showInstant(at),
    })),
  };
}

/** A message as people saw it. */
export function showTranscriptMessage(
  message: TranscriptMessage,
  links: LinkSigner,
): z.output<typeof transcriptMessageSchema> {
  const { id, role, text, at, runId, authorName, kind, choices, attachments, files, approval } = message;
  return {
    id,
    role,
    text,
    at: showInstant(at),
    run_id: runId,
    ...(authorName === undefined ? {} : { author_name: authorName }),
    ...(kind === undefined ? {} : { kind }),
    ...(choices === undefined ? {} : { choices: [...choices] }),
    ...(attachments === undefined ? {} : { attachments: attachments.map(showAttachment) }),
    ...(files === undefined ? {} : { files: showFiles(files, links) }),
    ...(approval === undefined ? {} : { approval: showApproval(approval) }),
  };
}

/** A file that came with a message, without what it says. */
export function showAttachment({ name, mimeType, bytes, state, reason }: LiveAttachment) {
  return { name, media_type: mimeType, bytes, state, ...(reason === undefined ? {} : { reason }) };
}

/** Files the bot sent, each with a link: whoever may see the message may have them. */
export function showFiles(files: readonly FileRef[], links: LinkSigner) {
  return files.map((file) => ({ ...file, url: linkTo(file.user_id, file.artifact_id, links) }));
}

/** A file of a person's workspace. */
export function showArtifact(
  artifact: Artifact,
  userId: WorkspaceId,
  links: LinkSigner,
): z.output<typeof artifactSchema> {
  return {
    id: artifact.id,
    name: artifact.name,
    media_type: artifact.mediaType,
    bytes: artifact.bytes,
    created_at: showInstant(artifact.createdAt),
    expires_at: showInstant(artifact.endsAt),
    run_id: artifact.runId ?? null,
    conversation_id: artifact.conversationId ?? null,
    url: linkTo(userId, artifact.id, links),
  };
}

function linkTo(userId: WorkspaceId, artifactId: string, links: LinkSigner): string {
  return `/v1/artifacts/${encodeURIComponent(artifactId)}/content?token=${links.sign(userId, artifactId)}`;
}

/** What was put up for approval. */
export function showApproval(approval: ShownApproval): z.output<typeof shownApprovalSchema> {
  const { id, tool, arguments: args, reason, askedOf, askedAt, expiresAt, state, decidedBy, decidedAt } = approval;
  return {
    id,
    tool,
    arguments: args,
    reason,
    asked_of: askedOf,
    asked_at: showInstant(askedAt),
    expires_at: showInstant(expiresAt),
    state,
    decided_by: decidedBy ?? null,
    decided_at: decidedAt === undefined ? null : showInstant(decidedAt),
  };
}

/** The same with the run that asks. */
export function showApprovalOfRun(approval: ApprovalView): z.output<typeof approvalSchema> {
  return { ...showApproval(approval), conversation_id: approval.conversationId, run_id: approval.runId };
}

/** A run with its steps. */
export function showRun(run: RunView): z.output<typeof runSchema> {
  return {
    id: run.id,
    conversation_id: run.conversationId,
    status: run.status,
    started_at: showInstant(run.startedAt),
    ended_at: run.endedAt === undefined ? null : showInstant(run.endedAt),
    attempt: run.attempt ?? null,
    message_ids: [...run.messageIds],
    steps: run.steps.map(({ name, what, status, at, ms, tries, error }) => ({
      name,
      what,
      status,
      at: showInstant(at),
      duration_ms: ms,
      tries,
      error: error ?? null,
    })),
    input_tokens: run.inputTokens,
    output_tokens: run.outputTokens,
  };
}

/** An API key without the key itself. */
export function showKey(key: ApiKey): z.output<typeof keySchema> {
  return {
    id: key.id,
    name: key.name,
    scopes: [...key.scopes],
    user_id: key.userId ?? null,
    created_at: showInstant(key.createdAt),
  };
}

/** What is remembered for a person. Damaged entries are shown as such: hiding them would make them look forgotten. */
export function showMemory({ entries, unreadable }: MemoryListing): z.output<typeof memorySchema> {
  return {
    data: [
      ...entries.map(({ key, value }) => ({ key, value })),
      ...unreadable.map((key) => ({ key, value: "(unreadable)" })),
    ],
  };
}

function showInstant(ms: number): string {
  return new Date(ms).toISOString();
}
