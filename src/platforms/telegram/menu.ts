import { createHash } from "node:crypto";
import type { PlatformNotes } from "../notes.ts";
import type { TelegramClient } from "./client.ts";
import type { MenuCommand } from "./command-list.ts";

/** Shows the commands in Telegram's menus, when they are not the ones that were shown last. */
export async function showMenu(
  commands: readonly MenuCommand[],
  {
    client,
    notes,
    signal,
  }: { readonly client: TelegramClient; readonly notes: PlatformNotes; readonly signal: AbortSignal },
): Promise<void> {
  const entries = (of: readonly MenuCommand[]) => of.map(({ name, text }) => ({ command: name, description: text }));
  const direct = entries(commands);
  const groups = entries(commands.filter((command) => command.groups));
  const mark = createHash("sha256")
    .update(JSON.stringify([direct, groups]))
    .digest("base64url");
  if ((await notes.read("menu")) === mark) return;
  await client.call("show the menu of commands", signal, (api, given) =>
    api.setMyCommands(direct, { scope: { type: "all_private_chats" } }, given),
  );
  await client.call("show the menu of commands in groups", signal, (api, given) =>
    api.setMyCommands(groups, { scope: { type: "all_group_chats" } }, given),
  );
  await notes.write("menu", mark);
}
