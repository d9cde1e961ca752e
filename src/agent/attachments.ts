import type { Attachment, AttachmentState, InboundMessage } from "../kernel/messages.ts";
import type { StepEntry } from "../engine/journal.ts";
import { fileOutcomeSchema, type FileOutcome } from "./steps.ts";

/** A file of a run's message that is still to be looked at, and the step in which that is done. */
export interface OpenFile {
  readonly step: string;
  readonly message: InboundMessage;
  readonly file: Attachment;
}

const STEP = "file_";
const stepOf = (message: number, file: number): string => `${STEP}${message + 1}_${file + 1}`;

/** Whether a step looked at a file. */
export const isFileStep = (step: string): boolean => step.startsWith(STEP);

/** The files that no step has looked at yet. `messages` are all of the run, in order, so that a step keeps its name. */
export function openFiles(
  messages: readonly InboundMessage[],
  steps: ReadonlyMap<string, StepEntry>,
): readonly OpenFile[] {
  return messages.flatMap((message, at) =>
    (message.attachments ?? []).flatMap((file, index) => {
      const step = stepOf(at, index);
      return file.state === "received" && !steps.has(step) ? [{ step, message, file }] : [];
    }),
  );
}

/** The messages of a run with what became of their files, by message id. Only messages with files are in it. */
export function messagesWithFiles(
  messages: readonly InboundMessage[],
  steps: ReadonlyMap<string, StepEntry>,
): ReadonlyMap<string, InboundMessage> {
  const found = new Map<string, InboundMessage>();
  for (const [at, message] of messages.entries()) {
    if (message.attachments === undefined) continue;
    const attachments = message.attachments.map((file, index) => {
      const entry = steps.get(stepOf(at, index));
      return entry === undefined ? file : withOutcome(file, outcomeOf(entry));
    });
    found.set(message.id, { ...message, attachments });
  }
  return found;
}

function withOutcome(file: Attachment, outcome: FileOutcome): Attachment {
  const { mimeType = file.mimeType, bytes = file.bytes } = outcome;
  return { ...file, ...outcome, mimeType, bytes };
}

function outcomeOf(entry: StepEntry): FileOutcome {
  const { error, value } = entry.outcome;
  const parsed = error === undefined ? fileOutcomeSchema.safeParse(value).data : undefined;
  return parsed ?? { state: "failed", reason: error?.message ?? "what was found cannot be read" };
}

/** What people and the model are told of a state. */
const STATE_WORDS: Readonly<Record<AttachmentState, string>> = {
  received: "received, not read yet",
  read: "read",
  shown: "shown to the model",
  unsupported: "unsupported type",
  "too-large": "too large",
  failed: "could not be read",
};

/** A line for the model about a file and, when it was read, what it says between two lines that cannot be mistaken. */
export function describeAttachment(file: Attachment): string {
  const reason = file.reason === undefined ? "" : `: ${file.reason}`;
  const line = `[attachment "${file.name}" (${file.mimeType}): ${STATE_WORDS[file.state]}${reason}]`;
  if (file.text === undefined) return line;
  const end = `[end of attachment "${file.name}"]`;
  // A file that writes that line itself must not be able to end what it says.
  return `${line}\n${file.text.replaceAll("[end of attachment", "[ end of attachment")}\n${end}`;
}

/** A file without what it says, as pages and lists show it. */
export function showableAttachment({ name, mimeType, bytes, state, reason }: Attachment) {
  return { name, mimeType, bytes, state, ...(reason === undefined ? {} : { reason }) };
}
