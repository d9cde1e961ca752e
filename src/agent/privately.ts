import type { InboundMessage } from "../kernel/messages.ts";
import type { Lanes } from "../store/lanes.ts";
import { isShared } from "./history.ts";
import { inboundOfRun } from "./runs.ts";
import { readConversation } from "./views.ts";

/** Whether nobody but its author is known to read what is said in a message's conversation. */
export async function isPrivate(message: InboundMessage, parts: { readonly lanes: Lanes }): Promise<boolean> {
  // Platforms name the author where others read along.
  if (message.authorName !== undefined) return false;
  const { runs } = await readConversation(message.conversationId, parts);
  const account = message.identity ?? message.workspaceId;
  return !isShared(runs) && runs.flatMap(inboundOfRun).every((said) => (said.identity ?? said.workspaceId) === account);
}
