import type { ChatMessage, ToolCall } from "../models/contract.ts";
import { partsOf, type RunRecord, type Turn } from "./runs.ts";

/** What the model gets to read at most. */
export interface ContextLimits {
  readonly maxMessages: number;
  readonly maxTokens: number;
}

/** Stands in for the result of a call that has none: the provider refuses a call without one. */
export const INTERRUPTED = "Interrupted; the outcome is unknown.";
const OMITTED = "(This earlier result was left out to stay within the context limit.)";

/**
 * The transcript for the next model call: the system prompt, as much history as fits, then the current run. Valid for
 * the provider by construction: every tool call is followed by exactly one result, a call and its results stay
 * together, the first message after the system prompt is a person's.
 */
export function buildContext(
  system: string,
  history: readonly RunRecord[],
  current: RunRecord,
  limits: ContextLimits,
  countTokens: (text: string) => number,
): ChatMessage[] {
  const size = (message: ChatMessage) => messageTokens(message, countTokens);
  const now = shrinkResults(groupsOf(current), limits.maxTokens - countTokens(system), size);
  let messages = now.flat().length;
  let tokens = countTokens(system) + sum(now.flat().map(size));
  const kept: ChatMessage[][] = [];
  for (const group of history.filter(isForModel).flatMap(groupsOf).toReversed()) {
    messages += group.length;
    tokens += sum(group.map(size));
    if (messages > limits.maxMessages || tokens > limits.maxTokens) break;
    kept.unshift(group);
  }
  while (kept[0] !== undefined && kept[0][0]?.role !== "user") kept.shift();
  return [{ role: "system", content: system }, ...kept.flat(), ...now.flat()];
}

const isForModel = (run: RunRecord): boolean => !run.command;

/** Messages that must not be separated, in order: a person's message, or a turn with all its results. */
function groupsOf(run: RunRecord): ChatMessage[][] {
  const groups = partsOf(run).map((part): ChatMessage[] => {
    if (part.kind === "turn") return turnMessages(part.turn);
    const { authorName, text, attachments = [] } = part.message;
    const files = attachments.map((file) => `[attachment "${file.name}" (${file.mimeType}): ${file.state}]`);
    const content = [text, ...files].join("\n");
    return [authorName === undefined ? { role: "user", content } : { role: "user", content, name: authorName }];
  });
  // An end that people saw and the model did not write, such as an error or a stop.
  if (run.ended?.text !== undefined) groups.push([{ role: "assistant", content: run.ended.text }]);
  return groups;
}

function turnMessages({ number, reply, results }: Turn): ChatMessage[] {
  if (reply.toolCalls.length === 0) return [{ role: "assistant", content: reply.text }];
  const ids = uniqueIds(reply.toolCalls, number);
  const toolCalls = reply.toolCalls.map((call, index) => ({
    ...call,
    id: ids[index] ?? call.id,
    args: isJson(call.args) ? call.args : "{}",
  }));
  return [
    { role: "assistant", content: reply.text, toolCalls },
    ...toolCalls.map((call, index): ChatMessage => ({
      role: "tool",
      callId: call.id,
      content: results[index]?.content ?? INTERRUPTED,
    })),
  ];
}

// Models do send calls without an id, or several with the same one.
function uniqueIds(calls: readonly ToolCall[], turn: number): string[] {
  const seen = new Set<string>();
  return calls.map((call, index) => {
    const id = call.id === "" || seen.has(call.id) ? `call_${turn}_${index + 1}` : call.id;
    seen.add(id);
    return id;
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Leaves out the oldest tool results of the current run until it fits; the newest turn stays whole. */
function shrinkResults(
  groups: ChatMessage[][],
  maxTokens: number,
  size: (message: ChatMessage) => number,
): ChatMessage[][] {
  let excess = sum(groups.flat().map(size)) - maxTokens;
  return groups.map((group, index) => {
    if (excess <= 0 || index === groups.length - 1) return group;
    return group.map((message) => {
      if (message.role !== "tool" || excess <= 0 || message.content.length <= OMITTED.length) return message;
      const short: ChatMessage = { ...message, content: OMITTED };
      excess -= size(message) - size(short);
      return short;
    });
  });
}

function messageTokens(message: ChatMessage, countTokens: (text: string) => number): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  // Four tokens for the frame around each message, as OpenAI's own counting guide has it.
  return 4 + countTokens(message.content) + sum(calls.map((call) => 4 + countTokens(call.name + call.args)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
