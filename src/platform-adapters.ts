import type { Config } from "./config/schema.ts";
import type { PlatformName } from "./kernel/messages.ts";
import type { PlatformAdapter } from "./platforms/contract.ts";
import { createDiscordAdapter } from "./platforms/discord/adapter.ts";
import type { AdapterParts } from "./platforms/parts.ts";
import { createRecordedPlatform } from "./platforms/recorded.ts";
import { createSlackAdapter } from "./platforms/slack/adapter.ts";
import { createTelegramAdapter } from "./platforms/telegram/adapter.ts";

/** Makes what an adapter is given. */
export type PartsFor = (platform: PlatformName) => AdapterParts;

/** The adapters of this process: those that need no account, and those whose token is set. */
export function createAdapters({ platforms }: Config, partsFor: PartsFor): readonly PlatformAdapter[] {
  const { slack, discord, telegram } = platforms;
  return [
    createRecordedPlatform("api"),
    createRecordedPlatform("web"),
    createRecordedPlatform("terminal"),
    ...openSlack(slack, partsFor),
    ...openDiscord(discord, partsFor),
    ...openTelegram(telegram, partsFor),
  ];
}

type Settings = Config["platforms"];

function openSlack(settings: Settings["slack"], partsFor: PartsFor): readonly PlatformAdapter[] {
  const { bot_token: botToken, app_token: appToken, signing_secret: signingSecret, api_url: apiUrl } = settings;
  if (botToken === undefined) return [];
  const options = {
    botToken: botToken.reveal(),
    appToken: appToken?.reveal(),
    signingSecret: signingSecret?.reveal(),
    apiUrl,
  };
  return [createSlackAdapter(options, partsFor("slack"))];
}

function openDiscord(
  { token, api_url: apiUrl, threads }: Settings["discord"],
  partsFor: PartsFor,
): readonly PlatformAdapter[] {
  if (token === undefined) return [];
  return [
    createDiscordAdapter({ token: token.reveal(), apiUrl, threads, fetch: globalThis.fetch }, partsFor("discord")),
  ];
}

function openTelegram(settings: Settings["telegram"], partsFor: PartsFor): readonly PlatformAdapter[] {
  const { bot_token: token, api_url: apiUrl, webhook_url: url, webhook_secret: secret } = settings;
  if (token === undefined) return [];
  const webhook = url === undefined || secret === undefined ? undefined : { url, secret: secret.reveal() };
  return [createTelegramAdapter({ token: token.reveal(), apiUrl, webhook }, partsFor("telegram"))];
}
