import type { WireMessage, WireUser } from "./wire.ts";

/** How things that a text names by number are called. */
export interface Names {
  channel(id: string): string | undefined;
  role(id: string): string | undefined;
}

type Worded = Pick<WireMessage, "content" | "mentions">;

/** What a person wrote, with names in place of Discord's numbers and without the mention of the bot. Pure. */
export function messageText(
  message: Pick<WireMessage, "content" | "mentions" | "message_snapshots" | "sticker_items">,
  me: string,
  names: Names,
): string {
  const own = namedText(message, me, names);
  const forwarded = message.message_snapshots.map(({ message: shot }) => {
    const text = namedText(shot, me, names);
    return text === "" ? "" : `Forwarded message:\n${text}`;
  });
  const stickers = message.sticker_items.map(({ name }) => `(sticker: ${name})`);
  return [own, ...forwarded, ...stickers].filter((text) => text !== "").join("\n");
}

/** How others see an account. Pure. */
export function nameOf(user: Pick<WireUser, "global_name" | "username">, nick?: string | null): string {
  return nick ?? user.global_name ?? user.username;
}

function namedText({ content, mentions }: Worded, me: string, names: Names): string {
  const people = new Map(mentions.map((user) => [user.id, nameOf(user, user.member?.nick)]));
  return content
    .replace(new RegExp(`^\\s*<@!?${me}>[,:;]?`), "")
    .replaceAll(new RegExp(`[ \\t]*<@!?${me}>[ \\t]*`, "g"), " ")
    .replaceAll(/<@!?(\d+)>/g, (_all, id: string) => `@${people.get(id) ?? "someone"}`)
    .replaceAll(/<@&(\d+)>/g, (_all, id: string) => `@${names.role(id) ?? "role"}`)
    .replaceAll(/<#(\d+)>/g, (_all, id: string) => `#${names.channel(id) ?? "channel"}`)
    .replaceAll(/<a?:(\w+):\d+>/g, ":$1:")
    .replaceAll(/<(\/[\w -]+):\d+>/g, "$1")
    .trim();
}
