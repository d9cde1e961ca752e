import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Turn } from "./transcript.ts";

export interface PlannedCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What the demo model does next: say its answer, or call tools and be asked again with their results. */
export type Move =
  | { readonly do: "say"; readonly text: string }
  | { readonly do: "call"; readonly calls: readonly PlannedCall[] };

/** One thing the demo model understands: the first rule whose pattern fits a message answers it. */
export interface Rule {
  readonly pattern: RegExp;
  respond(found: RegExpExecArray, turn: Turn): Move;
}

/** Ends the turn with this text. */
export function say(text: string): Move {
  return { do: "say", text };
}

/** Calls these tools at once. */
export function call(...calls: readonly PlannedCall[]): Move {
  return { do: "call", calls };
}

/**
 * Calls a tool and, once its result is in the transcript, answers with what `render` makes of it. Says so when the
 * tool is not offered and when it failed.
 */
export function useTool(turn: Turn, planned: PlannedCall, render: (content: string) => string): Move {
  if (!turn.offered.has(planned.tool)) return say(notOffered(planned.tool));
  const result = turn.results.findLast((one) => one.tool === planned.tool && isDeepStrictEqual(one.args, planned.args));
  if (result === undefined) return call(planned);
  const failure = failureIn(result.content);
  return say(failure === undefined ? render(result.content) : `The tool ${planned.tool} could not do this: ${failure}`);
}

/** The honest answer when a needed tool is missing. */
export function notOffered(tool: string): string {
  return `I would use the tool ${tool} for this, but it is not available here.`;
}

/** What went wrong in a tool's result; undefined when nothing did. */
export function failureIn(content: string): string | undefined {
  const failed = failureSchema.safeParse(parseJson(content));
  if (failed.success) return typeof failed.data.error === "string" ? failed.data.error : failed.data.error.message;
  return /^(error\b|interrupted\b)/i.test(content) ? content : undefined;
}

/** A tool's result as `schema` describes it; undefined when it looks different, and is then best shown as it is. */
export function readResult<T>(schema: z.ZodType<T>, content: string): T | undefined {
  return schema.safeParse(parseJson(content)).data;
}

const failureSchema = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}
