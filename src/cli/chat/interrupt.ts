/** What Ctrl+C does. */
export type Interrupt = "leave" | "stop" | "clear" | "hint";

/** The second press in a row leaves. The first stops what is going, or clears what is typed, or says how to leave. Pure. */
export function decideInterrupt(given: {
  readonly again: boolean;
  readonly busy: boolean;
  readonly typed: boolean;
}): Interrupt {
  if (given.again) return "leave";
  if (given.busy) return "stop";
  return given.typed ? "clear" : "hint";
}
