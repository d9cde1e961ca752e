import { textOf, type DemoMessage, type DemoRequest } from "./protocol.ts";

/** What a tool gave back in the current turn, with the call that asked for it. */
export interface ToolResult {
  readonly tool: string;
  readonly args: unknown;
  readonly content: string;
}

/** Everything the demo model decides from: what people asked since its last answer, and what tools said since then. */
export interface Turn {
  readonly asked: readonly string[];
  readonly offered: ReadonlySet<string>;
  readonly results: readonly ToolResult[];
}

/** Reads the current turn out of a request. */
export function readTurn(request: DemoRequest): Turn {
  const lastAnswer = request.messages.findLastIndex(
    (message) => message.role === "assistant" && (message.tool_calls ?? []).length === 0,
  );
  const since = request.messages.slice(lastAnswer + 1);
  const calls = new Map(
    since.flatMap((message) =>
      message.role === "assistant" ? (message.tool_calls ?? []).map((call) => [call.id, call.function] as const) : [],
    ),
  );
  return {
    asked: since.filter((message) => message.role === "user").map(textOf),
    offered: new Set((request.tools ?? []).map((tool) => tool.function.name)),
    results: since.flatMap((message) => {
      const call = message.role === "tool" ? calls.get(message.tool_call_id) : undefined;
      return call === undefined ? [] : [{ tool: call.name, args: parseArgs(call.arguments), content: textOf(message) }];
    }),
  };
}

/** What a real provider would refuse a transcript for, in its words; undefined for a valid one. */
export function findTranscriptProblem(
  messages: readonly DemoMessage[],
): { message: string; param: string } | undefined {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const param = `messages.[${index}].role`;
    if (message.role === "tool") {
      if (!open.delete(message.tool_call_id))
        return {
          message: "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
          param,
        };
      continue;
    }
    if (open.size > 0) return { message: unanswered(open), param };
    if (message.role === "assistant") open = new Set((message.tool_calls ?? []).map((call) => call.id));
  }
  return open.size > 0 ? { message: unanswered(open), param: `messages.[${messages.length}].role` } : undefined;
}

function unanswered(ids: ReadonlySet<string>): string {
  return (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
    `The following tool_call_ids did not have response messages: ${[...ids].join(", ")}`
  );
}

function parseArgs(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
