import type { ConversationId, RunId, WorkspaceId } from "../kernel/ids.ts";

/** Why the model is asked; sent as `X-Parley-Purpose`. */
export type Purpose = "chat" | "plan" | "repair" | "summary";

/** One tool call as the model made it. `args` is the raw text: models do send text that is not JSON. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: string;
}

/** An image the model is to see. A model that takes none is told of it instead. */
export interface ImagePart {
  readonly name: string;
  readonly mimeType: string;
  readonly base64: string;
}

/** The transcript in the one form the loop keeps; the client turns it into the provider's. */
export type ChatMessage =
  | { readonly role: "system"; readonly content: string }
  | {
      readonly role: "user";
      readonly content: string;
      readonly name?: string;
      readonly images?: readonly ImagePart[];
    }
  | { readonly role: "assistant"; readonly content: string; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly content: string };

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: Record<string, unknown>;
}

export interface ModelRequest {
  readonly runId: RunId;
  readonly purpose: Purpose;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolSpec[];
  /** Overrides the configured model. */
  readonly model?: string;
  /** The longest answer; a limit of the model's own counts when it is smaller. */
  readonly maxTokens?: number;
  readonly signal: AbortSignal;
  /** Whose budgets the call is counted in, and the step it belongs to; without it nothing is counted. */
  readonly spender?: {
    readonly step: string;
    readonly workspaceId: WorkspaceId;
    readonly conversationId: ConversationId;
    /** The schedule whose fire the run answers. */
    readonly scheduleId?: string;
  };
  /** Called with each piece of text as it streams in: a hint for live views, never the record. Must not throw. */
  readonly onText?: (delta: string) => void;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The part of `inputTokens` that the provider had in its cache, when it says so. */
  readonly cachedInputTokens?: number;
}

/** A complete, checked reply: it has text, tool calls or both, never neither. */
export interface ModelReply {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage: Usage;
  readonly model: string;
  /** Sentences the person should read with the answer, for instance that most of a budget is used. */
  readonly notices?: readonly string[];
  /** The model stopped at its length limit: `text` is only the beginning of an answer, and people should be told so. */
  readonly lengthLimited?: boolean;
}

/** Asks a model. Makes one attempt; throws `OutsideError` whose `retry` says whether another makes sense. */
export interface ModelClient {
  ask(request: ModelRequest): Promise<ModelReply>;
}
