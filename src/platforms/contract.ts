import type { OutboundMessage, PlatformName } from "../kernel/messages.ts";

/** The message as the platform knows it. "Delivered" means that this id is stored. */
export interface Posted {
  readonly postedId: string;
}

/**
 * How a platform protects against sending twice when the outcome of a send is unknown.
 * - `by-record`: nothing leaves the process; recording the delivery is what publishes it.
 * - `by-key`: a repeated send with the same delivery id posts nothing new.
 * - `none`: a repeat may be seen twice and carries a mark that says so.
 */
export type SendSafety = "by-record" | "by-key" | "none";

/** A chat platform as the core sees it. What it can do beyond sending is data, never a question of its name. */
export interface PlatformAdapter {
  readonly name: PlatformName;
  readonly sendSafety: SendSafety;
  /** Posts one message. Throws `OutsideError` and nothing else. `repeat` is true when an earlier try may have arrived. */
  send(message: OutboundMessage, context: { readonly repeat: boolean; readonly signal: AbortSignal }): Promise<Posted>;
}
