import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import { platformOf, type PlatformName } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import type { MemoryStore } from "../store/memory.ts";

/** What the model should know about where its answer is read. */
const PLATFORM_HINTS: Partial<Record<PlatformName, string>> = {
  terminal: "Your answer is shown in a terminal as plain text: keep markup light and lines short.",
  web: "Your answer is shown on a web page that renders Markdown.",
};

/**
 * Builds the system prompt of one person: the configured text, where they are, and what they asked to be remembered.
 * Where others read along, what is remembered stays out.
 */
export function createSystemPrompt(parts: {
  /** A text, or a function of the person. */
  readonly prompt: string | ((workspace: WorkspaceId) => string | Promise<string>);
  readonly memory: Pick<MemoryStore, "promptEntries">;
  readonly clock: Clock;
}) {
  return async (
    workspace: WorkspaceId,
    conversation: ConversationId,
    { shared }: { readonly shared: boolean },
  ): Promise<string> => {
    const { prompt } = parts;
    const [text, entries] = await Promise.all([
      typeof prompt === "string" ? prompt : prompt(workspace),
      shared ? [] : parts.memory.promptEntries(workspace),
    ]);
    const remembered = entries.map((entry) =>
      "value" in entry ? `- ${entry.key}: ${entry.value}` : `- ${entry.key}: (secret, not shown)`,
    );
    const hint = PLATFORM_HINTS[platformOf(conversation)];
    return [
      text.trim(),
      `Today is ${new Date(parts.clock.now()).toISOString().slice(0, 10)} (UTC).`,
      ...(hint === undefined ? [] : [hint]),
      ...(remembered.length === 0 ? [] : ["What this person asked you to remember:", ...remembered]),
    ].join("\n\n");
  };
}
