import type { WorkspaceId } from "../../kernel/ids.ts";
import { parseJson } from "../../kernel/json.ts";
import { inboundMessageSchema } from "../../kernel/messages.ts";
import { SUMMARY_STEP } from "../steps.ts";

const SUMMARY_LINE = `={"s":"${SUMMARY_STEP}",`;

/** What stands where a person's words stood. */
const DELETED = "(deleted)";

/**
 * The lines of a conversation without what some persons said and were told: their words go everywhere, and of ended runs
 * that they began only the frame stays. What others wrote and were answered is left. Pure.
 */
export function redactLines(lines: readonly string[], persons: ReadonlySet<WorkspaceId>): string[] {
  return splitRuns(lines).flatMap((run) => {
    const ended = run.some((line) => line.startsWith("."));
    const theirs = ended && messagesOf(run[0] ?? "").some((message) => isOf(message, persons));
    return run.flatMap((line) => {
      const isSaid = line.startsWith(">") || line.startsWith("+");
      if (isSaid) return [redactSaid(line, persons)];
      // A summary may tell what anybody said; another one is made when it is needed.
      if (line.startsWith(SUMMARY_LINE)) return [];
      if (!theirs) return [line];
      return line.startsWith(".") ? [withoutText(line)] : [];
    });
  });
}

/** Whether anyone but these persons spoke in these messages, or could read along. Pure. */
export function othersSpeak(messages: readonly unknown[], persons: ReadonlySet<WorkspaceId>): boolean {
  return messages.some((raw) => {
    const message = inboundMessageSchema.safeParse(raw).data;
    // Platforms name the author where others read along.
    return message !== undefined && (message.authorName !== undefined || !persons.has(message.workspaceId));
  });
}

/** The messages in a line of a journal that opens a run or joins one; none in any other. */
export function messagesOf(line: string): readonly unknown[] {
  if (!line.startsWith(">") && !line.startsWith("+")) return [];
  const content = parseJson(line.slice(1));
  return typeof content === "object" && content !== null && "in" in content && Array.isArray(content.in)
    ? content.in
    : [];
}

function splitRuns(lines: readonly string[]): string[][] {
  const runs: string[][] = [];
  for (const line of lines) {
    if (line.startsWith(">") || runs.length === 0) runs.push([line]);
    else runs.at(-1)?.push(line);
  }
  return runs;
}

function isOf(message: unknown, persons: ReadonlySet<WorkspaceId>): boolean {
  const parsed = inboundMessageSchema.safeParse(message).data;
  return parsed !== undefined && persons.has(parsed.workspaceId);
}

function redactSaid(line: string, persons: ReadonlySet<WorkspaceId>): string {
  const content = parseJson(line.slice(1));
  // A damaged line of messages may hold anybody's words.
  if (typeof content !== "object" || content === null || !("in" in content) || !Array.isArray(content.in))
    return `#${JSON.stringify({ damaged: DELETED })}`;
  const messages = content.in.map((raw: unknown) => {
    const message = inboundMessageSchema.safeParse(raw).data;
    if (message === undefined || !persons.has(message.workspaceId)) return raw;
    const { id, conversationId, at } = message;
    return { id, conversationId, workspaceId: "deleted", authorName: DELETED, text: DELETED, at };
  });
  // The order of the fields stays: a run's opening is found by how its line begins.
  return `${line[0]}${JSON.stringify({ ...content, in: messages })}`;
}

function withoutText(line: string): string {
  const content = parseJson(line.slice(1));
  return typeof content === "object" && content !== null ? `.${JSON.stringify({ ...content, text: DELETED })}` : line;
}
