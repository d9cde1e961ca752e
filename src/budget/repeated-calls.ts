/** A tool call as it was made, and what came of it. */
export interface MadeCall {
  readonly name: string;
  /** The raw text of the arguments. */
  readonly args: string;
  /** The result as the model read it. */
  readonly result: string;
}

/** How often the same call may come to the same result before the model is told, and before the run is stopped. */
export interface RepeatLimits {
  readonly warnAt: number;
  readonly stopAt: number;
}

/** What to do about a model that does the same over and over: nothing, tell it, or stop the run. */
export type RepeatVerdict =
  | { readonly kind: "fine" }
  | { readonly kind: "warn" | "stop"; readonly name: string; readonly times: number };

/**
 * Looks whether the last turn repeats a call of earlier ones: same name, same arguments however they are written, same
 * result. Calls beside it do not matter; another result of that call in between shows that something moves and starts
 * the count anew. Several equal calls in one turn count once. Pure.
 */
export function repeatedCalls(
  turns: readonly (readonly MadeCall[])[],
  limits: RepeatLimits = { warnAt: 3, stopAt: 5 },
): RepeatVerdict {
  const calls = turns.map((turn) => turn.map(({ name, args, result }) => ({ name, key: keyOf(name, args), result })));
  let most = { name: "", times: 0 };
  for (const call of calls.at(-1) ?? []) {
    const times = timesOf(call, calls);
    if (times > most.times) most = { name: call.name, times };
  }
  if (most.times >= limits.stopAt) return { kind: "stop", ...most };
  return most.times >= limits.warnAt ? { kind: "warn", ...most } : { kind: "fine" };
}

/** What the model is told, in the place where it reads results. */
export function describeRepeat({ name, times }: { readonly name: string; readonly times: number }): string {
  return (
    `You have called ${name} with these arguments ${times} times, and the result was the same every time. ` +
    "Calling it again will not change it: use what you have, try something else, or tell the person what is missing."
  );
}

interface KnownCall {
  readonly key: string;
  readonly result: string;
}

function timesOf(call: KnownCall, turns: readonly (readonly KnownCall[])[]): number {
  let times = 0;
  for (const turn of turns.toReversed()) {
    const same = turn.filter(({ key }) => key === call.key);
    if (same.some(({ result }) => result !== call.result)) break;
    if (same.length > 0) times += 1;
  }
  return times;
}

function keyOf(name: string, args: string): string {
  return `${name} ${canonical(args)}`;
}

/** The arguments with their keys in order; text that is not JSON stays as it is. */
function canonical(args: string): string {
  const text = args.trim();
  try {
    // An empty text is how some models call without arguments.
    return text === "" ? "{}" : JSON.stringify(JSON.parse(text, (_key, value: unknown) => inOrder(value)));
  } catch {
    return text;
  }
}

function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  // Not by assignment: a key like "__proto__" is a key like any other.
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
