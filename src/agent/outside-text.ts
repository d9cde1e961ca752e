import type { WorkspaceId } from "../kernel/ids.ts";
import type { Tool } from "../tools/contract.ts";
import type { RunRecord } from "./runs.ts";

/** Enough to tell people what it was. */
const MAX_SOURCES = 5;

/** True when what a tool gives back was written by strangers, as far as its author does not say otherwise. */
export function bringsOutsideText({ trusted }: Pick<Tool, "trusted">): boolean {
  return trusted !== true;
}

/** True for a call that cannot be taken back and carries data out or to other chats. */
export function sendsOut({ effect, sends }: Pick<Tool, "effect" | "sends">): boolean {
  return effect === "once" && sends !== false;
}

/**
 * Where the text from outside came from that a person's run can have read: tools whose results are labelled so in the
 * journal, files, and other people's messages. The first few, each once; empty when there is none. Pure.
 */
export function outsideSources(runs: readonly RunRecord[], person: WorkspaceId): string[] {
  const sources = new Set<string>();
  for (const run of runs)
    for (const entry of run.entries) {
      if (entry.kind === "step") {
        const label = labelOf(entry.outcome.value);
        if (label !== undefined) sources.add(label);
      } else if (entry.kind === "opened" || entry.kind === "joined")
        for (const label of labelsOfMessage(entry.message, person)) sources.add(label);
      if (sources.size >= MAX_SOURCES) return [...sources];
    }
  return [...sources];
}

// Every entry of the history is looked at, so nothing is parsed as a whole.
function labelOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("from" in value)) return undefined;
  return typeof value.from === "string" ? value.from : undefined;
}

function labelsOfMessage(message: unknown, person: WorkspaceId): string[] {
  if (typeof message !== "object" || message === null) return [];
  const labels: string[] = [];
  if ("workspaceId" in message && message.workspaceId !== person) labels.push("other people");
  if ("attachments" in message && Array.isArray(message.attachments) && message.attachments.some(isReadable))
    labels.push("files");
  return labels;
}

function isReadable(attachment: unknown): boolean {
  return (
    typeof attachment === "object" && attachment !== null && "state" in attachment && attachment.state === "received"
  );
}
