import type { Config } from "./config/schema.ts";
import type { PlatformName } from "./kernel/messages.ts";
import type { PlatformAdapter } from "./platforms/contract.ts";
import type { AdapterParts } from "./platforms/parts.ts";
import { createRecordedPlatform } from "./platforms/recorded.ts";
import { createTelegramAdapter } from "./platforms/telegram/adapter.ts";

/** Makes what an adapter is given. */
export type PartsFor = (platform: PlatformName) => AdapterParts;

/** The adapters of this process: those that need no account, and those whose token is set. */
export function createAdapters(config: Config, partsFor: PartsFor): readonly PlatformAdapter[] {
  return [
    createRecordedPlatform("api"),
    createRecordedPlatform("web"),
    createRecordedPlatform("terminal"),
    ...openTelegram(config, partsFor),
  ];
}

function openTelegram({ platforms: { telegram } }: Config, partsFor: PartsFor): readonly PlatformAdapter[] {
  const { bot_token: token, api_url: apiUrl, webhook_url: url, webhook_secret: secret } = telegram;
  if (token === undefined) return [];
  const webhook = url === undefined || secret === undefined ? undefined : { url, secret: secret.reveal() };
  return [createTelegramAdapter({ token: token.reveal(), apiUrl, webhook }, partsFor("telegram"))];
}
