import type { PlatformAdapter } from "../contract.ts";
import type { AdapterParts } from "../parts.ts";
import { discordFlavour } from "../render/discord.ts";
import { renderMarkdown } from "../render/render.ts";
import type { Machinery } from "./machinery.ts";
import type { DiscordOptions } from "./options.ts";

// Discord shows typing for ten seconds.
const TYPING_EVERY_MS = 8000;
// Room for the line that takes the place of the buttons.
const BUTTONS_LIMIT = 1700;

/**
 * Creates the adapter of Discord. Nothing is connected or asked before it is used, and Discord's library (half a second,
 * 80 MB) is not loaded before.
 */
export function createDiscordAdapter(options: DiscordOptions, parts: AdapterParts): PlatformAdapter {
  let loaded: Promise<Machinery> | undefined;

  function machinery(): Promise<Machinery> {
    loaded ??= import("./machinery.ts").then(({ createMachinery }) => createMachinery(options, parts));
    return loaded;
  }

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
    send: async (part, context) => (await machinery()).send(part, context),
    presence: {
      typingEveryMs: TYPING_EVERY_MS,
      typing: async (...given) => (await machinery()).presence.typing(...given),
      progress: async (...given) => (await machinery()).presence.progress(...given),
      clearProgress: async (...given) => (await machinery()).presence.clearProgress(...given),
    },
    listener: { exclusive: true, listen: async (context) => (await machinery()).listen(context) },
    fetchFile: async (...given) => (await machinery()).fetchFile(...given),
    close: async () => (await loaded)?.close(),
  };
}
