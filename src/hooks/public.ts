/**
 * What the author of a hook needs, imported as `#parley/hooks`. These names stay; everything else in this folder may
 * change.
 */
export type { HookContext, HookDefinition, HookNews } from "./contract.ts";
export { defineHooks, refuse } from "./define.ts";
