import { z } from "zod";
import { describeError, InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { FileRef } from "../kernel/messages.ts";
import type { Effect, Question, Tool, ToolDefinition, ToolOutcome } from "./contract.ts";
import { withDeadline } from "./deadline.ts";

const DEFAULT_TIMEOUT_MS = 60_000;
// Node fires a timer with a longer delay at once.
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const MAX_MISFITS_NAMED = 10;

/**
 * Makes a {@link Tool} of what an author wrote. Its `run` checks the arguments, holds the time limit even against a
 * tool that ignores its signal, and gives back a value that reads the same after it went through the journal.
 */
export function defineTool<Input extends z.ZodType>(definition: ToolDefinition<Input>): Tool {
  const { name, description, effect, input, approval = "never" } = definition;
  const timeoutMs = checkTimeout(name, definition.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  return {
    name,
    description,
    effect,
    timeoutMs,
    approval,
    ...(definition.trusted === undefined ? {} : { trusted: definition.trusted }),
    ...(definition.sends === undefined ? {} : { sends: definition.sends }),
    ...(definition.private === undefined ? {} : { private: definition.private }),
    parameters: describeParameters(name, input),
    run: (args, context) =>
      withDeadline(
        { ms: timeoutMs, signal: context.signal, late: () => tooLate(name, timeoutMs, effect) },
        async (signal) => {
          const fitting = await checkArguments(name, input, args);
          return normaliseOutcome(name, await definition.run(fitting, { ...context, signal }));
        },
      ),
  };
}

/** As the result of a tool: asks the person and parks the run until they answer. `choices` become buttons. */
export function question(ask: string, choices?: readonly string[]): AskPerson {
  return new AskPerson(choices === undefined ? { ask } : { ask, choices });
}

// A class, so that no data a tool passes on from elsewhere can look like a question.
class AskPerson {
  readonly question: Question;

  constructor(asked: Question) {
    this.question = asked;
  }
}

/** As the result of a tool: `value` for the model, and files that go to the chat with the run's answer. */
export function withFiles(value: unknown, files: readonly FileRef[]): ResultWithFiles {
  return new ResultWithFiles(value, files);
}

class ResultWithFiles {
  readonly value: unknown;
  readonly files: readonly FileRef[];

  constructor(value: unknown, files: readonly FileRef[]) {
    this.value = value;
    this.files = files;
  }
}

function checkTimeout(tool: string, timeoutMs: number): number {
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw new InvalidInput(`Tool "${tool}": timeoutMs is ${timeoutMs}; it must be above 0 and at most ${MAX_TIMEOUT_MS}`);
}

function describeParameters(tool: string, input: z.ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...schema } = toJsonSchema(tool, input);
  if (schema.type !== "object")
    throw new InvalidInput(`Tool "${tool}": its input must be an object schema, models send named arguments`);
  // Some providers refuse an object without this key.
  return { ...schema, properties: schema.properties ?? {} };
}

function toJsonSchema(tool: string, input: z.ZodType) {
  try {
    return z.toJSONSchema(input, { target: "draft-7", io: "input" });
  } catch (error) {
    throw new InvalidInput(`Tool "${tool}": its input has no JSON Schema: ${describeError(error)}`, { cause: error });
  }
}

function tooLate(tool: string, timeoutMs: number, effect: Effect): OutsideError {
  return new OutsideError(`Tool "${tool}" did not finish within ${timeoutMs / 1000} s`, {
    code: "timeout",
    // What a late call still does is unknown; only a call that may be repeated is worth another try.
    retry: effect === "once" ? { kind: "never" } : { kind: "after" },
  });
}

async function checkArguments<Input extends z.ZodType>(
  tool: string,
  input: Input,
  args: unknown,
): Promise<z.output<Input>> {
  const checked = await input.safeParseAsync(args);
  if (checked.success) return checked.data;
  const { issues } = checked.error;
  const misfits = issues.slice(0, MAX_MISFITS_NAMED).map((issue) => `${fieldName(issue.path)}: ${issue.message}`);
  const more = issues.length - misfits.length;
  throw new InvalidInput(
    `Arguments of "${tool}" do not fit. ${misfits.join("; ")}${more > 0 ? `; and ${more} more` : ""}`,
    {
      code: "invalid_arguments",
      cause: checked.error,
    },
  );
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "(all arguments)" : z.core.toDotPath(path);
}

function normaliseOutcome(tool: string, returned: unknown): ToolOutcome {
  if (returned instanceof AskPerson) return { kind: "question", question: returned.question };
  if (returned instanceof ResultWithFiles)
    return { kind: "result", value: throughJson(tool, returned.value), files: returned.files };
  if (returned === undefined) return { kind: "result", value: "done" };
  if (typeof returned === "string") return { kind: "result", value: returned };
  return { kind: "result", value: throughJson(tool, returned) };
}

// The first run and a replay from the journal must give the model the same value.
function throughJson(tool: string, value: unknown): unknown {
  const text = toJson(tool, value);
  if (text === undefined) throw notJson(tool, `a ${typeof value}`);
  const parsed: unknown = JSON.parse(text);
  return parsed;
}

// TypeScript says JSON.stringify gives a string; for a function or a symbol it gives undefined.
function toJson(tool: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw notJson(tool, describeError(error), error);
  }
}

function notJson(tool: string, why: string, cause?: unknown): OutsideError {
  return new OutsideError(`Tool "${tool}" ran, but its result cannot be written as JSON: ${why}`, {
    code: "garbled",
    cause,
  });
}
