/**
 * What the author of a tool needs, imported as `#parley/tools`. These names stay; everything else in this folder may
 * change.
 */
export { z } from "zod";
export { InvalidInput, OutsideError } from "../kernel/errors.ts";
export type { Effect, Tool, ToolContext, ToolDefinition } from "./contract.ts";
export { defineTool, question } from "./define.ts";
