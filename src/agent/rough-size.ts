import type { Size } from "./model-context.ts";
import type { RunRecord } from "./runs.ts";

/** More than the words we put around or in place of a result. */
const MAX_OWN_TOKENS = 100;

/**
 * A size that a run certainly does not pass when a model reads it. Far cheaper than the exact one: nothing is checked or
 * rendered, so it serves to find out that the exact one is not needed. Pure.
 */
export function roughSize(run: RunRecord): Size {
  let messages = 1;
  let characters = 0;
  for (const entry of run.entries) {
    if (entry.kind === "opened" || entry.kind === "joined") {
      messages += 1;
      characters += charactersIn(entry.message);
    } else if (entry.kind === "step") {
      // A call has a message for its result whether there is one or not, so results are counted with their calls.
      messages += entry.step.startsWith("tool_") ? 0 : 1 + callsIn(entry.outcome.value);
      characters += charactersIn(entry.outcome);
    } else if (entry.kind === "ended") characters += entry.text?.length ?? 0;
  }
  // Three bytes of UTF-8 per unit of UTF-16 at most, and four bytes a token.
  return { messages, tokens: Math.ceil((characters * 3) / 4) + messages * MAX_OWN_TOKENS };
}

function callsIn(value: unknown): number {
  if (typeof value !== "object" || value === null || !("toolCalls" in value)) return 0;
  return Array.isArray(value.toolCalls) ? value.toolCalls.length : 0;
}

function charactersIn(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let sum = 0;
  for (const inner of Object.values(value)) sum += charactersIn(inner);
  return sum;
}
