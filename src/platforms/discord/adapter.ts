import type { PlatformAdapter } from "../contract.ts";
import type { AdapterParts } from "../parts.ts";
import { discordFlavour } from "../render/discord.ts";
import { renderMarkdown } from "../render/render.ts";
import { createApi, type DiscordAccount } from "./api.ts";
import { createChannelDirectory } from "./channels.ts";
import { createFileFetcher } from "./files.ts";
import { createListener } from "./listen.ts";
import { createPresence } from "./presence.ts";
import { createSender } from "./send.ts";
import type { ThreadRule } from "./threads.ts";

export interface DiscordOptions extends DiscordAccount {
  /** When a mention in a channel begins a thread. */
  readonly threads: ThreadRule;
  /** Fetches files from Discord's file server. */
  readonly fetch: typeof globalThis.fetch;
}

// Room for the line that takes the place of the buttons.
const BUTTONS_LIMIT = 1700;

/** Creates the adapter of Discord. Nothing is connected or asked before it is used. */
export function createDiscordAdapter(options: DiscordOptions, given: AdapterParts): PlatformAdapter {
  const account: DiscordAccount = {
    token: options.token,
    ...(options.apiUrl === undefined ? {} : { apiUrl: options.apiUrl }),
  };
  const api = createApi(account);
  const parts = { ...given, api, channels: createChannelDirectory(api) };
  return {
    name: "discord",
    sendSafety: "by-key",
    abilities: {
      edit: true,
      typing: true,
      stream: false,
      threads: true,
      buttons: true,
      files: true,
      reactions: false,
      ephemeral: true,
      history: true,
    },
    render({ kind, text }) {
      const pressed = kind === "question" || kind === "approval";
      return renderMarkdown(text, pressed ? { ...discordFlavour, limit: BUTTONS_LIMIT } : discordFlavour);
    },
    send: createSender(parts),
    presence: createPresence(parts),
    listener: createListener({ ...parts, account, threads: options.threads }),
    fetchFile: createFileFetcher({ account, api, fetch: options.fetch }),
    close: () => Promise.resolve(api.close()),
  };
}
