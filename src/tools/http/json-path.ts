/** A parsed path such as `$.items[*].name`. */
export interface JsonPath {
  readonly steps: readonly Step[];
}

/** A property, an element, or every element of a list. */
type Step = string | number | typeof EVERY;

const EVERY = Symbol("every element");

/**
 * Parses a simple JSON path: `a.b`, `$.a[0]`, `$["a b"]`, `items[*].name`; `$` alone is the whole. Undefined for anything
 * else.
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  // The first name may stand without a dot before it.
  let rest = /^[$.[]/.test(text) ? text.replace(/^\$/, "") : `.${text}`;
  while (rest !== "") {
    const found = STEP.exec(rest);
    if (found === null) return undefined;
    const [whole, name, index, every, quoted] = found;
    if (every !== undefined) steps.push(EVERY);
    else steps.push(index === undefined ? (name ?? quoted ?? "") : Number(index));
    rest = rest.slice(whole.length);
  }
  return text === "" ? undefined : { steps };
}

/**
 * What stands at the path. Where it holds `[*]`: the list of everything found; otherwise the one thing, or null when
 * there is nothing.
 */
export function pickFrom(value: unknown, path: JsonPath): unknown {
  const found = path.steps.reduce<readonly unknown[]>((here, step) => here.flatMap((one) => go(one, step)), [value]);
  return path.steps.includes(EVERY) ? found : (found[0] ?? null);
}

const STEP = /^(?:\.([^\s.[\]"'*]+)|\[(\d{1,9})\]|(\[\*\])|\[["']([^"'\]]+)["']\])/;

function go(value: unknown, step: Step): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (step === EVERY) return Array.isArray(value) ? value : [];
  if (Array.isArray(value) !== (typeof step === "number") || !Object.hasOwn(value, step)) return [];
  return [Reflect.get(value, step)];
}
