import type { Config } from "./config/schema.ts";
import type { PlatformName } from "./kernel/messages.ts";
import type { PlatformAdapter } from "./platforms/contract.ts";
import type { AdapterParts } from "./platforms/parts.ts";
import { createDiscordAdapter } from "./platforms/discord/adapter.ts";
import { createRecordedPlatform } from "./platforms/recorded.ts";

/** Makes what an adapter is given. */
export type PartsFor = (platform: PlatformName) => AdapterParts;

/** The adapters of this process: those that need no account, and those whose token is set. */
export function createAdapters(config: Config, partsFor: PartsFor): readonly PlatformAdapter[] {
  return [
    createRecordedPlatform("api"),
    createRecordedPlatform("web"),
    createRecordedPlatform("terminal"),
    ...openDiscord(config, partsFor),
  ];
}

function openDiscord({ platforms: { discord } }: Config, partsFor: PartsFor): readonly PlatformAdapter[] {
  const { token, api_url: apiUrl, threads } = discord;
  if (token === undefined) return [];
  return [
    createDiscordAdapter({ token: token.reveal(), apiUrl, threads, fetch: globalThis.fetch }, partsFor("discord")),
  ];
}
