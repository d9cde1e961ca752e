import type { z } from "zod";
import type { ConversationId, RunId, WorkspaceId } from "../kernel/ids.ts";
import type { FileRef } from "../kernel/messages.ts";
import type { Clock, Log } from "../kernel/ports.ts";

/**
 * What repeating a call does to the world; decides what happens after a crash in mid-call.
 * - `read`: changes nothing, repeated freely.
 * - `idempotent`: a repeat with the same key has the same result, repeated with the same `idempotencyKey`.
 * - `once`: must not be repeated. A call whose outcome is unknown is reported as unknown and never run again.
 */
export type Effect = "read" | "idempotent" | "once";

/** What a tool may use. It belongs to one call of one run of one person. */
export interface ToolContext {
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly runId: RunId;
  /** `runId:step`, the same on every attempt of this call; pass it to services that take an idempotency key. */
  readonly idempotencyKey: string;
  /** Which try of this call this is, from 1. */
  readonly attempt: number;
  /** Aborts when the run is stopped, taken over, or the call's deadline passes. Pass it on. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/** Asks the person and parks the run until they answer; nothing is held while waiting. */
export interface Question {
  readonly ask: string;
  readonly choices?: readonly string[];
}

/**
 * What a tool gives back: text or any JSON value for the model, or a question for the person. The files go to the chat
 * with what the run says at its end.
 */
export type ToolOutcome =
  | { readonly kind: "result"; readonly value: unknown; readonly files?: readonly FileRef[] }
  | { readonly kind: "question"; readonly question: Question };

/** One ability the model can call. Build it with {@link defineTool}. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly effect: Effect;
  /** Milliseconds a call may take before it is aborted; 60 s unless told otherwise. */
  readonly timeoutMs: number;
  /** `ask`: the person approves each call before it runs. `never` unless told otherwise. */
  readonly approval?: "ask" | "never";
  /** `true`: what it gives back was not written by strangers. Anything else is labelled as text from outside. */
  readonly trusted?: boolean;
  /** Whether a call carries data out or to other chats; unless told otherwise that is so for every `once` tool. */
  readonly sends?: boolean;
  /** `true`: what it gives back is for this person's eyes. It is not offered where several people speak. */
  readonly private?: boolean;
  /** JSON Schema of the arguments, as the model sees it. */
  readonly parameters: Record<string, unknown>;
  /**
   * Checks `args` and runs the call. Throws `InvalidInput` for arguments that do not fit (nothing was done), and
   * `OutsideError` or anything else when the call failed.
   */
  run(args: unknown, context: ToolContext): Promise<ToolOutcome>;
}

/** What an author writes; `input` is the one description of the arguments for the model, the checker and the types. */
export interface ToolDefinition<Input extends z.ZodType> {
  /** 1 to 64 characters of `[A-Za-z0-9_.-]`; the limit is OpenAI's for function names, the dot becomes `_` on the wire. */
  readonly name: string;
  readonly description: string;
  readonly effect: Effect;
  readonly timeoutMs?: number;
  readonly approval?: "ask" | "never";
  /** `true` when its results hold no text of strangers (pages, files, other people); then no approval follows from them. */
  readonly trusted?: boolean;
  /** `false` when a `once` call carries nothing out and to nobody else. */
  readonly sends?: boolean;
  /** `true` when its results are for this person's eyes; it is then not offered where several people speak. */
  readonly private?: boolean;
  readonly input: Input;
  /** Runs the call. May return any JSON value. `question(…)` as the result parks the run until the person answers. */
  readonly run: (input: z.output<Input>, context: ToolContext) => unknown;
}
