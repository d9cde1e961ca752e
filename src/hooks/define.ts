import { InvalidInput } from "../kernel/errors.ts";
import { HOOK_POINTS, type HookDefinition, type Refusal } from "./contract.ts";

// Of the registry, because a file may have been given another copy of this module.
const BRAND = Symbol.for("parley.hooks");

/** The hooks of a file as they are found among its exports. */
export interface Hooks {
  readonly [BRAND]: true;
  readonly definition: HookDefinition;
}

/** Makes hooks that count once they are exported. Throws `InvalidInput` for a name that is no hook's. */
export function defineHooks(definition: HookDefinition): Hooks {
  for (const [name, value] of Object.entries(definition)) {
    if (name === "onFailure") continue;
    if (!HOOK_POINTS.some((point) => point === name))
      throw new InvalidInput(`There is no hook "${name}"; there are ${HOOK_POINTS.join(", ")}`);
    if (value !== undefined && typeof value !== "function") throw new InvalidInput(`The hook "${name}" is no function`);
  }
  return { [BRAND]: true, definition };
}

/** As the result of a `before` hook: the call is not made, for the reason in `sentence`. */
export function refuse(sentence: string): Refusal {
  return { refuse: sentence };
}

/** The hooks among the exports of a module, each once. */
export function exportedHooks(module: unknown): readonly Hooks[] {
  const exported = typeof module === "object" && module !== null ? Object.values(module) : [];
  return [...new Set(exported.filter(isHooks))];
}

function isHooks(value: unknown): value is Hooks {
  return typeof value === "object" && value !== null && BRAND in value;
}
