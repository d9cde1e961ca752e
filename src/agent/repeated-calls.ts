/** A tool call as it was made, and what came of it. */
export interface MadeCall {
  readonly name: string;
  /** The raw text of the arguments. */
  readonly args: string;
  /** The result as the model read it; `refused` when it was not done because it repeated itself. */
  readonly result: { readonly content: string } | "refused";
}

/** How often the same call may come to the same result, and how often it is then refused before the run is stopped. */
export interface RepeatLimits {
  readonly refuseAfter: number;
  readonly stopAfter: number;
}

/** What to do about a call the model has made before: do it, tell the model that it is pointless, or stop the run. */
export type RepeatVerdict =
  | { readonly kind: "do" }
  | { readonly kind: "refuse" | "stop"; readonly name: string; readonly times: number };

/**
 * Judges a call by the turns before it: same name, same arguments however they are written, same result. Calls beside it
 * do not matter; another result of that call in between shows that something moves and starts the count anew. Several
 * equal calls in one turn count once. Pure.
 */
export function judgeRepeat(
  turns: readonly (readonly MadeCall[])[],
  call: { readonly name: string; readonly args: string },
  limits: RepeatLimits = { refuseAfter: 3, stopAfter: 2 },
): RepeatVerdict {
  const { name } = call;
  const { done, refused } = countRepeats(turns, keyOf(name, call.args));
  if (done < limits.refuseAfter) return { kind: "do" };
  return { kind: refused >= limits.stopAfter ? "stop" : "refuse", name, times: done };
}

/** What the model is told, in the place where it reads results. */
export function describeRepeat({ name, times }: { readonly name: string; readonly times: number }): string {
  return (
    `Not done: ${name} was called with these arguments ${times} times, and the result was the same every time. ` +
    "Calling it again will not change it: use what you have, try something else, or tell the person what is missing."
  );
}

function countRepeats(
  turns: readonly (readonly MadeCall[])[],
  key: string,
): { readonly done: number; readonly refused: number } {
  let done = 0;
  let refused = 0;
  let result: string | undefined;
  for (const turn of turns.toReversed()) {
    const results = turn.flatMap((call) => (keyOf(call.name, call.args) === key ? [call.result] : []));
    const contents = results.flatMap((each) => (each === "refused" ? [] : [each.content]));
    result ??= contents[0];
    if (contents.some((content) => content !== result)) break;
    if (contents.length > 0) done += 1;
    else if (results.length > 0) refused += 1;
  }
  return { done, refused };
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
