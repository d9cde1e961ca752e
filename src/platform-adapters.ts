import type { Config } from "./config/schema.ts";
import type { PlatformName } from "./kernel/messages.ts";
import type { PlatformAdapter } from "./platforms/contract.ts";
import type { AdapterParts } from "./platforms/parts.ts";
import { createRecordedPlatform } from "./platforms/recorded.ts";
import { createSlackAdapter } from "./platforms/slack/adapter.ts";

/** Makes what an adapter is given. */
export type PartsFor = (platform: PlatformName) => AdapterParts;

/** The adapters of this process: those that need no account, and those whose token is set. */
export function createAdapters({ platforms }: Config, partsFor: PartsFor): readonly PlatformAdapter[] {
  return [
    createRecordedPlatform("api"),
    createRecordedPlatform("web"),
    createRecordedPlatform("terminal"),
    ...slack(platforms.slack, partsFor),
  ];
}

function slack(settings: Config["platforms"]["slack"], partsFor: PartsFor): readonly PlatformAdapter[] {
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
