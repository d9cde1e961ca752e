import type { CallToolResult, Tool as McpTool } from "@modelcontextprotocol/client";
import type { OutsideCode } from "../../kernel/errors.ts";

/** A list as it was read; `more` when the server has more than was read. */
export interface ReadList {
  readonly definitions: readonly McpTool[];
  readonly more: boolean;
}

/** One call as it goes over the wire. */
export interface WireCall {
  readonly tool: McpTool;
  readonly args: Readonly<Record<string, unknown>>;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** One connection to a server, from its start to its end. What its methods throw is a {@link SessionFailure}. */
export interface Session {
  /** The process, for a server that is a program. */
  readonly pid: number | undefined;
  listTools(timeoutMs: number): Promise<ReadList>;
  callTool(call: WireCall): Promise<CallToolResult>;
  /** Whether the server answers anything at all within this time. */
  isAlive(timeoutMs: number): Promise<boolean>;
  /** Settles when the connection has ended, with why in a few words. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it, calls under way included. Repeatable. */
  close(): Promise<void>;
}

/**
 * A request to a server failed. `message` is a few words that go after the server's name. `outcome` is what is known of
 * the call; `passing` says whether another try makes sense; `gone` that this connection is of no more use.
 */
export class SessionFailure extends Error {
  override readonly name = "SessionFailure";
  readonly code: OutsideCode;
  readonly outcome: "not-done" | "unknown" | "done";
  readonly passing: boolean;
  readonly gone: boolean;
  /** A wait the server asked for. */
  readonly afterMs: number | undefined;

  constructor(
    message: string,
    facts: {
      readonly code: OutsideCode;
      readonly outcome: SessionFailure["outcome"];
      readonly passing?: boolean;
      readonly gone?: boolean;
      readonly afterMs?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: facts.cause });
    this.code = facts.code;
    this.outcome = facts.outcome;
    this.passing = facts.passing ?? false;
    this.gone = facts.gone ?? false;
    this.afterMs = facts.afterMs;
  }
}
