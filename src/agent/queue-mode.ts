/** How messages that arrive during a run are taken. */
export type QueueMode = "queue" | "collect" | "steer" | "interrupt";

/** What each mode does, in the words people read. */
export const QUEUE_MODES: Record<QueueMode, string> = {
  queue: "each message gets its own answer, in order",
  collect: "all waiting messages are answered together",
  steer: "a new message joins what I am doing at its next step",
  interrupt: "a new message stops what I am doing",
};

/** The queue mode that counts: the conversation's own, or the configured default. */
export function queueMode(own: string | undefined, fallback: QueueMode): QueueMode {
  return own !== undefined && isQueueMode(own) ? own : fallback;
}

/** True when the text names a mode. */
export function isQueueMode(text: string): text is QueueMode {
  return Object.hasOwn(QUEUE_MODES, text);
}
