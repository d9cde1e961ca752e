import type { CallToolResult, Tool as McpTool } from "@modelcontextprotocol/client";

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

/** One connection to a server, from its start to its end. What its calls throw is for `explainFailure`. */
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

/** What a session tells its owner. Neither may throw or block. */
export interface SessionEvents {
  readonly onToolsChanged: () => void;
}
