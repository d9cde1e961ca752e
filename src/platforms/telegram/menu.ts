import { createHash } from "node:crypto";
import type { PlatformNotes } from "../notes.ts";
import type { TelegramClient } from "./client.ts";
import type { MenuCommand } from "./options.ts";

/** Telegram's own limits of an entry. */
const NAME = /^[a-z0-9_]{1,32}$/;
const MAX_TEXT = 256;

/** Shows the commands in Telegram's menus, when they are not the ones that were shown last. */
export async function showMenu(
  commands: readonly MenuCommand[],
  { client, notes, signal }: { readonly client: TelegramClient; readonly notes: PlatformNotes; readonly signal: AbortSignal },
): Promise<void> {
  if (commands.length === 0) return; // what the operator gave @BotFather stays
  const shown = commands.filter(({ name }) => NAME.test(name));
  const entries = (of: readonly MenuCommand[]) =>
    of.map(({ name, text }) => ({ command: name, description: text.slice(0, MAX_TEXT) }));
  const direct = entries(shown);
  const groups = entries(shown.filter((command) => command.groups));
  const mark = createHash("sha256").update(JSON.stringify([direct, groups])).digest("base64url");
  if ((await notes.read("menu")) === mark) return;
  await client.call("show the menu of commands", signal, (api, given) =>
    api.setMyCommands(direct, { scope: { type: "all_private_chats" } }, given),
  );
  await client.call("show the menu of commands in groups", signal, (api, given) =>
    api.setMyCommands(groups, { scope: { type: "all_group_chats" } }, given),
  );
  await notes.write("menu", mark);
}
