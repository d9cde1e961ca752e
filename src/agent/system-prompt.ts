import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import { platformOf, type PlatformName } from "../kernel/messages.ts";
import type { Clock } from "../kernel/ports.ts";
import type { MemoryStore } from "../store/memory.ts";
import type { PromptContext } from "./prompt-function.ts";

/**
 * Builds the system prompt of one person: the configured text, where they are, and what they asked to be remembered.
 * Where others read along, what is remembered stays out.
 */
export function createSystemPrompt(parts: {
  /** A text, or a function of the person. */
  readonly prompt: string | ((context: PromptContext) => string | Promise<string>);
  /** What the model should know about where its answer is read; an empty text for nothing. */
  readonly hint: (platform: PlatformName) => string;
  readonly memory: Pick<MemoryStore, "promptEntries">;
  readonly clock: Clock;
}) {
  return async (
    workspace: WorkspaceId,
    conversation: ConversationId,
    { shared }: { readonly shared: boolean },
  ): Promise<string> => {
    const { prompt } = parts;
    const platform = platformOf(conversation);
    const now = new Date(parts.clock.now()).toISOString();
    const context = { user: { id: workspace }, conversation: { id: conversation, shared }, platform, now };
    const [text, entries] = await Promise.all([
      typeof prompt === "string" ? prompt : prompt(context),
      shared ? [] : parts.memory.promptEntries(workspace),
    ]);
    const remembered = entries.map((entry) =>
      "value" in entry ? `- ${entry.key}: ${entry.value}` : `- ${entry.key}: (secret, not shown)`,
    );
    const hint = parts.hint(platform).trim();
    return [
      text.trim(),
      `Today is ${now.slice(0, 10)} (UTC).`,
      ...(hint === "" ? [] : [hint]),
      ...(remembered.length === 0 ? [] : ["What this person asked you to remember:", ...remembered]),
    ].join("\n\n");
  };
}
