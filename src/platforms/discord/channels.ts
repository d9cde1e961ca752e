import { ChannelType } from "discord.js";
import type { DiscordApi } from "./api.ts";
import type { WireChannel } from "./wire.ts";

/** What has to be known of a channel, a thread or a direct chat. */
export interface ChannelFacts {
  readonly id: string;
  /** `channel` is one of a server in which threads can begin, `other` any other place of a server. */
  readonly kind: "direct" | "channel" | "thread" | "other";
  readonly name: string;
  /** The channel around a thread. */
  readonly parentId?: string;
  readonly lastMessageId?: string;
}

/** What is known of channels in this process. It is asked for once and then updated by events. */
export interface ChannelDirectory {
  /** From memory, else from Discord. Throws `OutsideError`. */
  find(id: string, signal?: AbortSignal): Promise<ChannelFacts>;
  /** From memory only. */
  known(id: string): ChannelFacts | undefined;
  learn(facts: ChannelFacts): void;
  forget(id: string): void;
}

// Channels in memory; whatever falls out is asked for again.
const MAX_KNOWN = 20_000;

/** Creates an empty directory. */
export function createChannelDirectory(api: Pick<DiscordApi, "channel">): ChannelDirectory {
  const known = new Map<string, ChannelFacts>();

  function learn(facts: ChannelFacts): void {
    known.delete(facts.id);
    known.set(facts.id, facts);
    const [oldest] = known.keys();
    if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  }

  return {
    known: (id) => known.get(id),
    learn,
    forget: (id) => void known.delete(id),
    async find(id, signal) {
      const found = known.get(id);
      if (found !== undefined) return found;
      const facts = factsOf(await api.channel(id, signal));
      learn(facts);
      return facts;
    },
  };
}

/** Reads a channel as Discord describes it. Pure. */
export function factsOf({ id, type, name, parent_id, last_message_id }: WireChannel): ChannelFacts {
  return {
    id,
    kind: kindOf(type),
    name: name ?? "",
    ...(typeof parent_id === "string" ? { parentId: parent_id } : {}),
    ...(typeof last_message_id === "string" ? { lastMessageId: last_message_id } : {}),
  };
}

/** A direct chat, of which nothing but its id matters. */
export function directFacts(id: string): ChannelFacts {
  return { id, kind: "direct", name: "" };
}

const DIRECT = new Set<number>([ChannelType.DM, ChannelType.GroupDM]);
const THREADS = new Set<number>([ChannelType.PublicThread, ChannelType.PrivateThread, ChannelType.AnnouncementThread]);
const CAN_BEGIN_THREADS = new Set<number>([ChannelType.GuildText, ChannelType.GuildAnnouncement]);

function kindOf(type: number): ChannelFacts["kind"] {
  if (DIRECT.has(type)) return "direct";
  if (THREADS.has(type)) return "thread";
  return CAN_BEGIN_THREADS.has(type) ? "channel" : "other";
}
