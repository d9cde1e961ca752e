import type { WorkspaceId } from "../../kernel/ids.ts";
import { parseJson } from "../../kernel/json.ts";
import { inboundMessageSchema } from "../../kernel/messages.ts";
import { parseLine } from "../../engine/journal.ts";
import { withBody } from "../../store/mail.ts";
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
    const theirs = ended && isSaidBy(messageOf(run[0] ?? ""), persons);
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

/** The message in a line of a journal that opens a run or joins one; undefined for any other. */
export function messageOf(line: string): unknown {
  const entry = parseLine(line);
  return entry.kind === "opened" || entry.kind === "joined" ? entry.message : undefined;
}

function splitRuns(lines: readonly string[]): string[][] {
  const runs: string[][] = [];
  for (const line of lines) {
    if (line.startsWith(">") || runs.length === 0) runs.push([line]);
    else runs.at(-1)?.push(line);
  }
  return runs;
}

/** Whether one of these persons wrote this message. Pure. */
export function isSaidBy(message: unknown, persons: ReadonlySet<WorkspaceId>): boolean {
  const parsed = inboundMessageSchema.safeParse(message).data;
  return parsed !== undefined && persons.has(parsed.workspaceId);
}

function redactSaid(line: string, persons: ReadonlySet<WorkspaceId>): string {
  // A damaged line of a message may hold anybody's words.
  if (parseLine(line).kind === "unreadable") return `#${JSON.stringify({ damaged: DELETED })}`;
  const message = inboundMessageSchema.safeParse(messageOf(line)).data;
  if (message === undefined || !persons.has(message.workspaceId)) return line;
  const { conversationId, at } = message;
  return withBody(line, { conversationId, workspaceId: "deleted", authorName: DELETED, text: DELETED, at });
}

function withoutText(line: string): string {
  const content = parseJson(line.slice(1));
  return typeof content === "object" && content !== null ? `.${JSON.stringify({ ...content, text: DELETED })}` : line;
}
