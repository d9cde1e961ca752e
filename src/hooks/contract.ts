import type { ConversationId, RunId, WorkspaceId } from "../kernel/ids.ts";
import type { ChatMessage, ToolCall } from "../models/contract.ts";

/** Where in the agent's work something happens. */
export interface HookPlace {
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly runId: RunId;
}

/** What every hook that decides is told besides. */
export interface HookContext extends HookPlace {
  /** Aborts at the deadline, or when the run is stopped. Pass it on. */
  readonly signal: AbortSignal;
}

/** Says no, with a sentence: of a model call the person reads it, of a tool call the model. Made by `refuse`. */
export interface Refusal {
  readonly refuse: string;
}

type Answer<T> = T | undefined | void | Promise<T | undefined | void>;

/** What each notification tells. */
export interface HookNews {
  /** Something remembered was stored or deleted; `erase` is everything of the person. Never the value. */
  readonly onMemory: {
    readonly workspaceId: WorkspaceId;
    readonly action: "set" | "delete" | "erase";
    readonly key?: string;
  };
  /** A file was created. */
  readonly onArtifact: {
    readonly workspaceId: WorkspaceId;
    readonly id: string;
    readonly name: string;
    readonly mimeType: string;
    readonly bytes: number;
  };
  /** A schedule was created, changed or deleted. */
  readonly onSchedule: {
    readonly workspaceId: WorkspaceId;
    readonly action: "created" | "changed" | "deleted";
    readonly id: string;
    readonly description: string;
  };
  /** More of an answer was written; `text` is all of it so far. Not every piece is told. */
  readonly onRunPartial: HookPlace & { readonly step: string; readonly text: string };
  /** A run ended with an answer, after that was stored. */
  readonly onRunComplete: HookPlace & { readonly text: string };
  /** A run ended without an answer; `text` is what the person reads. */
  readonly onRunFailed: HookPlace & { readonly text: string };
}

/** The hooks of one file. All are optional; what they return counts, what they throw is logged and changes nothing. */
export interface HookDefinition {
  /**
   * What happens to a call when its `before` hook throws, is too late or is switched off: it goes on, or it is refused.
   * A hook that guards something wants `refuse`. Default `go-on`.
   */
  readonly onFailure?: "go-on" | "refuse";
  /** May change what the model is sent, or refuse the call. */
  readonly beforeModel?: (
    call: HookContext & { readonly messages: readonly ChatMessage[]; readonly tools: readonly string[] },
  ) => Answer<{ readonly messages: readonly ChatMessage[] } | Refusal>;
  /** May change the text of a reply. */
  readonly afterModel?: (
    call: HookContext & { readonly text: string; readonly toolCalls: readonly ToolCall[]; readonly model: string },
  ) => Answer<{ readonly text: string }>;
  /** May change the arguments of a tool call, or refuse it. */
  readonly beforeTool?: (
    call: HookContext & { readonly tool: string; readonly effect: string; readonly args: unknown },
  ) => Answer<{ readonly args: unknown } | Refusal>;
  /** May change what the model reads of a result. */
  readonly afterTool?: (
    call: HookContext & {
      readonly tool: string;
      readonly args: unknown;
      readonly content: string;
      readonly ok: boolean;
    },
  ) => Answer<{ readonly content: string }>;
  readonly onMemory?: (news: HookNews["onMemory"]) => unknown;
  readonly onArtifact?: (news: HookNews["onArtifact"]) => unknown;
  readonly onSchedule?: (news: HookNews["onSchedule"]) => unknown;
  readonly onRunPartial?: (news: HookNews["onRunPartial"]) => unknown;
  readonly onRunComplete?: (news: HookNews["onRunComplete"]) => unknown;
  readonly onRunFailed?: (news: HookNews["onRunFailed"]) => unknown;
}

/** All points at which hooks are called. */
export const HOOK_POINTS = [
  "beforeModel",
  "afterModel",
  "beforeTool",
  "afterTool",
  "onMemory",
  "onArtifact",
  "onSchedule",
  "onRunPartial",
  "onRunComplete",
  "onRunFailed",
] as const;
export type HookPoint = (typeof HOOK_POINTS)[number];
