import { createHash } from "node:crypto";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import type { PlatformNotes } from "../notes.ts";
import type { DiscordApi } from "./api.ts";
import { commandDefinitions } from "./command-list.ts";

/**
 * Tells Discord which commands there are, unless it has been told the same before. Safe to repeat. Never throws: the
 * commands also work when they are written, so listening goes on without.
 */
export async function registerCommands(
  applicationId: string,
  {
    api,
    notes,
    log,
  }: { readonly api: Pick<DiscordApi, "setCommands">; readonly notes: PlatformNotes; readonly log: Log },
): Promise<void> {
  const commands = commandDefinitions();
  const hash = createHash("sha256").update(JSON.stringify(commands)).digest("base64url");
  const key = `commands:${applicationId}`;
  try {
    if ((await notes.read(key)) === hash) return;
    await api.setCommands(applicationId, commands);
    await notes.write(key, hash);
    log.info({ commands: commands.length }, "registered the slash commands at Discord");
  } catch (error) {
    log.warn({ error: describeError(error) }, "the slash commands could not be registered; the next start tries again");
  }
}
