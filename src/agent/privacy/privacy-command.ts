import type { InboundMessage } from "../../kernel/messages.ts";
import type { Lanes } from "../../store/lanes.ts";
import type { TicketStore } from "../../store/tickets.ts";
import { isPrivate } from "../privately.ts";
import type { Privacy } from "./forget.ts";

export interface PrivacyCommandParts {
  readonly lanes: Lanes;
  readonly privacy: Pick<Privacy, "export">;
  readonly tickets: Pick<TicketStore, "issue">;
  /** Where the API answers people; undefined where it is not known. */
  readonly address: () => string | undefined;
}

/** A document of at most this many characters is sent in the chat itself. */
const MAX_IN_CHAT = 3_000;

/** `/privacy export`; `/privacy forget` waits its turn among the conversation's messages and is answered there. */
export async function privacyCommand(
  message: InboundMessage,
  rest: string,
  parts: PrivacyCommandParts,
): Promise<string> {
  if (rest.trim().toLowerCase() !== "export")
    return "Use /privacy export to get everything I keep about you, or /privacy forget to delete it.";
  if (!(await isPrivate(message, parts)))
    return "Others read along here. Please send /privacy export in a direct chat with me.";
  const text = JSON.stringify(await parts.privacy.export(message.workspaceId), undefined, 2);
  if (text.length <= MAX_IN_CHAT) return `Everything I keep about you:\n\n\`\`\`json\n${text}\n\`\`\``;
  const size = `Everything I keep about you is ${Math.ceil(text.length / 1000)} kB of JSON`;
  const address = parts.address();
  if (address === undefined)
    return `${size}. It is at GET /v1/workspaces/${encodeURIComponent(message.workspaceId)}/export of the API.`;
  const token = await parts.tickets.issue({ for: "export", person: message.workspaceId });
  return `${size}. Get it once within ten minutes here: ${address}/once/${token}`;
}
