import type { WorkspaceId } from "../kernel/ids.ts";
import type { PlatformMessage } from "../platforms/listening.ts";

/** Who may talk to the bot on chat platforms. */
export interface AccessRules {
  readonly access: "pairing" | "allowlist" | "open";
  /** People and chats, by their ids, who may always. */
  readonly allowed: readonly string[];
  readonly admins: readonly string[];
}

/** True when a message is for the bot: in company it has to be named, unless it takes part in the thread already. */
export function isMeant(
  { author, direct, addressed, thread }: Pick<PlatformMessage, "author" | "direct" | "addressed" | "thread">,
  { takesPart }: { readonly takesPart: boolean },
): boolean {
  // Two bots that answer each other would never stop.
  if (author.isBot) return false;
  return direct || addressed || (thread && takesPart);
}

/** What is known of somebody without looking anything up: `ask` means that it depends on a pairing. */
export function mayTalk(
  { account, person, chat }: { readonly account: WorkspaceId; readonly person: WorkspaceId; readonly chat: string },
  { access, allowed, admins }: AccessRules,
): "yes" | "no" | "ask" {
  if (access === "open") return "yes";
  const names: readonly string[] = [account, person, chat];
  if (names.some((name) => allowed.includes(name)) || admins.includes(account) || admins.includes(person)) return "yes";
  return access === "pairing" ? "ask" : "no";
}

/** Commands can be given with `!` where the platform keeps `/` for itself. */
export function asCommand(text: string, isKnown: (name: string) => boolean): string {
  const name = /^!([a-z]+)(?=\s|$)/i.exec(text.trimStart())?.[1];
  return name !== undefined && isKnown(name.toLowerCase()) ? `/${text.trimStart().slice(1)}` : text;
}
