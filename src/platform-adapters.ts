import type { Config } from "./config/schema.ts";
import type { PlatformName } from "./kernel/messages.ts";
import type { PlatformAdapter } from "./platforms/contract.ts";
import type { AdapterParts } from "./platforms/parts.ts";
import { createRecordedPlatform } from "./platforms/recorded.ts";

/** Makes what an adapter is given. */
export type PartsFor = (platform: PlatformName) => AdapterParts;

/** Makes the adapters of a process. */
export type MakeAdapters = (partsFor: PartsFor) => readonly PlatformAdapter[];

/** The adapters of platforms that need no account. */
export const recordedAdapters: MakeAdapters = () => [
  createRecordedPlatform("api"),
  createRecordedPlatform("web"),
  createRecordedPlatform("terminal"),
];

/** Adds those whose token is set. The clients' libraries are large: nobody loads one without using it. */
export async function loadAdapters({ platforms }: Config): Promise<MakeAdapters> {
  const { slack, discord, telegram } = platforms;
  const makers = [recordedAdapters, await loadSlack(slack), await loadDiscord(discord), await loadTelegram(telegram)];
  return (partsFor) => makers.flatMap((make) => make?.(partsFor) ?? []);
}

type Settings = Config["platforms"];

async function loadSlack(settings: Settings["slack"]): Promise<MakeAdapters | undefined> {
  const { bot_token: botToken, app_token: appToken, signing_secret: signingSecret, api_url: apiUrl } = settings;
  if (botToken === undefined) return undefined;
  const { createSlackAdapter } = await import("./platforms/slack/adapter.ts");
  const options = {
    botToken: botToken.reveal(),
    appToken: appToken?.reveal(),
    signingSecret: signingSecret?.reveal(),
    apiUrl,
  };
  return (partsFor) => [createSlackAdapter(options, partsFor("slack"))];
}

async function loadDiscord(settings: Settings["discord"]): Promise<MakeAdapters | undefined> {
  const { token, api_url: apiUrl, threads } = settings;
  if (token === undefined) return undefined;
  const { createDiscordAdapter } = await import("./platforms/discord/adapter.ts");
  const options = { token: token.reveal(), apiUrl, threads, fetch: globalThis.fetch };
  return (partsFor) => [createDiscordAdapter(options, partsFor("discord"))];
}

async function loadTelegram(settings: Settings["telegram"]): Promise<MakeAdapters | undefined> {
  const { bot_token: token, api_url: apiUrl, webhook_url: url, webhook_secret: secret } = settings;
  if (token === undefined) return undefined;
  const { createTelegramAdapter } = await import("./platforms/telegram/adapter.ts");
  const webhook = url === undefined || secret === undefined ? undefined : { url, secret: secret.reveal() };
  return (partsFor) => [createTelegramAdapter({ token: token.reveal(), apiUrl, webhook }, partsFor("telegram"))];
}
