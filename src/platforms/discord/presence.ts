import { MessageFlags } from "discord.js";
import { OutsideError } from "../../kernel/errors.ts";
import type { ConversationId } from "../../kernel/ids.ts";
import type { Presence } from "../contract.ts";
import { discordFlavour } from "../render/discord.ts";
import type { SendParts } from "./send.ts";
import { findTarget } from "./threads.ts";

const MAX_LINE = 300;

/** Creates the signs of life: typing, and one small line that is changed in place. */
export function createPresence(parts: SendParts): Required<Pick<Presence, "typing" | "progress" | "clearProgress">> {
  const { api } = parts;
  const target = async (conversation: ConversationId, signal: AbortSignal) =>
    (await findTarget(conversation, signal, parts)).id;

  return {
    async typing(conversation, signal) {
      await api.typing(await target(conversation, signal), signal);
    },

    async progress(conversation, line, previous, signal) {
      const channel = await target(conversation, signal);
      const content = `-# ${discordFlavour.escape(oneLine(line))}`;
      if (previous !== undefined) {
        try {
          return (await api.edit(channel, previous, { content, allowed_mentions: { parse: [] } }, signal)).id;
        } catch (error) {
          if (!isGone(error)) throw error;
        }
      }
      const flags = MessageFlags.SuppressEmbeds | MessageFlags.SuppressNotifications;
      return (await api.post(channel, { content, flags, allowed_mentions: { parse: [] } }, [], signal)).id;
    },

    async clearProgress(conversation, previous, signal) {
      if (previous === undefined) return;
      try {
        await api.delete(await target(conversation, signal), previous, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
  };
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE - 1)}…`;
}

function isGone(error: unknown): boolean {
  return error instanceof OutsideError && error.code === "not-found";
}
