import { OutsideError } from "../kernel/errors.ts";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { Run } from "../engine/run.ts";
import type { ChatMessage, ModelClient, ModelReply } from "../models/contract.ts";
import type { Toolbox } from "../tools/toolbox.ts";
import { parseSlotMessage } from "../kernel/schedules.ts";
import { conversationOf } from "./lanes-of.ts";
import { messageIdsOf } from "./runs.ts";
import { createTextStream, type Live } from "./live.ts";

export interface AskParts {
  readonly model: ModelClient;
  readonly toolbox: Toolbox;
  readonly live: Live;
}

/** Asks the model for one step of a run and shows the text as it comes. Throws what the model's client throws. */
export async function askModel(
  run: Run,
  request: {
    readonly step: string;
    readonly messages: readonly ChatMessage[];
    readonly signal: AbortSignal;
    readonly workspaceId: WorkspaceId;
    /** Told of the text in pieces as it comes. Must not throw. */
    readonly onText?: (delta: string) => void;
    /** The model the conversation chose. */
    readonly model?: string | undefined;
  },
  { model: client, toolbox, live }: AskParts,
): Promise<ModelReply> {
  const { step, messages, signal, workspaceId, model } = request;
  const conversation = conversationOf(run.lane);
  const about = { run_id: run.id, step };
  const stream = createTextStream((text, isFirst) => {
    live.tell(conversation, { type: "text.delta", ...about, text, ...(isFirst ? { reset: true as const } : {}) });
    request.onText?.(text);
  });
  const slot = messageIdsOf(run.entries)
    .map(parseSlotMessage)
    .find((found) => found !== undefined);
  const person = { step, workspaceId, conversationId: conversation };
  const spender = slot === undefined ? person : { ...person, scheduleId: slot.id };
  live.tell(conversation, { type: "run.progress", ...about, label: "Thinking" });
  const asked = { runId: run.id, purpose: "chat", messages, tools: toolbox.list(), signal, spender } as const;
  let reply: ModelReply;
  try {
    reply = await client.ask({
      ...asked,
      ...(model === undefined ? {} : { model }),
      onText: (delta) => stream.add(delta),
    });
  } catch (error) {
    throw withoutLongWait(error);
  } finally {
    stream.flush();
  }
  return checked(reply);
}

/** The longest wait a provider may ask for while a person waits for the answer, milliseconds. */
const MAX_WAIT_MS = 5 * 60_000;

function withoutLongWait(error: unknown): unknown {
  if (!(error instanceof OutsideError) || error.retry.kind !== "after" || (error.retry.ms ?? 0) <= MAX_WAIT_MS)
    return error;
  return new OutsideError(error.message, { code: error.code, cause: error });
}

/** Far more than any limit on calls; what is beyond it would only fill the journal. */
const MAX_CALLS_KEPT = 128;

function checked(reply: ModelReply): ModelReply {
  if (reply.text.trim() === "" && reply.toolCalls.length === 0)
    throw new OutsideError("The model sent an empty answer", { code: "empty-answer", retry: { kind: "after" } });
  return { ...reply, text: reply.text.toWellFormed(), toolCalls: reply.toolCalls.slice(0, MAX_CALLS_KEPT) };
}
