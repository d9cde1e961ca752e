import type { z } from "zod";
import type { ConversationView, Door, MessageStatus, RunView, TranscriptMessage } from "../agent/door-contract.ts";
import type { ApiKey } from "../store/api-keys.ts";
import type { MemoryListing } from "../store/memory.ts";
import type {
  conversationSchema,
  conversationSummarySchema,
  keySchema,
  memorySchema,
  messageStatusSchema,
  runSchema,
  transcriptMessageSchema,
} from "./contract.ts";

// The views of the parts in their public shape: names in snake_case, times as ISO strings, null for what is not there.

/** Where a message is. */
export function showMessageStatus(status: MessageStatus): z.output<typeof messageStatusSchema> {
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
export function showTranscriptMessage(message: TranscriptMessage): z.output<typeof transcriptMessageSchema> {
  const { id, role, text, at, runId, authorName, kind, choices } = message;
  return {
    id,
    role,
    text,
    at: showInstant(at),
    run_id: runId,
    ...(authorName === undefined ? {} : { author_name: authorName }),
    ...(kind === undefined ? {} : { kind }),
    ...(choices === undefined ? {} : { choices: [...choices] }),
  };
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
