import { ChannelType, MessageFlags, type MessageType } from "discord.js";
import { createHash, randomBytes } from "node:crypto";
import type { WorldFile } from "../world.ts";

export interface User {
  readonly id: string;
  readonly username: string;
  readonly global_name: string;
  readonly bot: boolean;
}

export type Permission = "view" | "send" | "attach" | "threads" | "history";

export interface Channel {
  readonly id: string;
  readonly type: ChannelType;
  readonly name: string;
  /** The person of a direct chat. */
  readonly with?: string;
  readonly parentId?: string;
  readonly denied: Set<Permission>;
  readonly messages: Message[];
}

export interface Attachment extends WorldFile {
  readonly id: string;
}

export interface Message {
  readonly id: string;
  readonly channelId: string;
  readonly author: User;
  content: string;
  readonly type: MessageType;
  readonly at: number;
  editedAt?: number;
  flags: number;
  readonly mentions: readonly User[];
  readonly attachments: Attachment[];
  components: readonly { readonly type: number; readonly components: readonly Button[] }[];
  readonly reference?: string;
  readonly nonce?: string | number;
  /** Seen by one person alone. */
  readonly whisper?: boolean;
}

export interface Button {
  readonly type: number;
  readonly label: string;
  readonly custom_id: string;
  readonly style: number;
}

export interface Interaction {
  readonly id: string;
  readonly token: string;
  readonly channelId: string;
  readonly userId: string;
  readonly at: number;
  /** When the bot said that it arrived, after so many milliseconds. */
  deferredAfterMs?: number;
  /** The message that stands for the reply. */
  original?: string;
  expired: boolean;
}

/** Everything that Discord knows in a test: people, channels, messages. */
export type State = ReturnType<typeof createState>;

const EPOCH = 1_420_070_400_000n;

/** Creates an empty Discord with one server and one bot. `origin` is where its files are fetched from. */
export function createState({ token, now = Date.now }: { readonly token: string; readonly now?: () => number }) {
  let lastTime = 0n;
  let inTime = 0n;
  const channels = new Map<string, Channel>();
  const users = new Map<string, User>();
  const interactions = new Map<string, Interaction>();
  const watchers = new Set<() => void>();
  const bot: User = { id: newId(), username: "parley", global_name: "Parley", bot: true };
  const guildId = newId();
  const applicationId = newId();
  let signature = randomBytes(4).toString("hex");

  function newId(): string {
    const time = BigInt(now()) - EPOCH;
    inTime = time === lastTime ? inTime + 1n : 0n;
    lastTime = time;
    return String((time << 22n) | inTime);
  }

  function user(name: string, isBot = false): User {
    const key = `${isBot ? "bot" : "person"}/${name}`;
    const found = users.get(key);
    if (found !== undefined) return found;
    const made = { id: newId(), username: name.toLowerCase(), global_name: name, bot: isBot };
    users.set(key, made);
    return made;
  }

  function channel(
    name: string,
    type: ChannelType,
    more: Pick<Channel, "with" | "parentId"> = {},
    id = newId(),
  ): Channel {
    const made: Channel = { id, name, type, denied: new Set(), messages: [], ...more };
    channels.set(id, made);
    return made;
  }

  return {
    token,
    bot,
    guildId,
    applicationId,
    channels,
    interactions,
    newId,
    now,
    user,
    /** The bot of this name, if there is one, else the person. */
    speaker: (name: string): User => users.get(`bot/${name}`) ?? user(name),
    channel,
    /** What the bot may read: without it, the connection is refused. */
    messageContentAllowed: true,
    commands: [] as readonly { readonly name: string; readonly options?: readonly object[] }[],
    /** How often typing was shown in a channel. */
    typing: new Map<string, number>(),
    findMessage(channelId: string, id: string): Message | undefined {
      return channels.get(channelId)?.messages.find((message) => message.id === id);
    },
    watch(look: () => void): () => void {
      watchers.add(look);
      return () => watchers.delete(look);
    },
    changed(): void {
      for (const look of watchers) look();
    },
    /** Every address of a file that was given out is void from now on. */
    expireLinks(): void {
      signature = randomBytes(4).toString("hex");
    },
    linkOf(origin: string, { channelId, id }: Pick<Message, "channelId" | "id">, file: Attachment): string {
      return `${origin}/attachments/${channelId}/${id}/${file.id}/${encodeURIComponent(file.name)}?hm=${sign(file.id)}`;
    },
    isSigned: (fileId: string, hm: string | null) => hm === sign(fileId),
  };

  function sign(fileId: string): string {
    return createHash("sha256").update(`${fileId}${signature}`).digest("hex").slice(0, 16);
  }
}

/** A message in Discord's form. */
export function wireMessage(state: State, message: Message, origin: string, live: boolean): Record<string, unknown> {
  const channel = state.channels.get(message.channelId);
  const replied = message.reference === undefined ? undefined : state.findMessage(message.channelId, message.reference);
  return {
    id: message.id,
    channel_id: message.channelId,
    type: message.type,
    content: message.content,
    author: wireUser(message.author),
    timestamp: new Date(message.at).toISOString(),
    edited_timestamp: message.editedAt === undefined ? null : new Date(message.editedAt).toISOString(),
    tts: false,
    mention_everyone: false,
    mentions: message.mentions.map(wireUser),
    mention_roles: [],
    pinned: false,
    embeds: [],
    flags: message.flags,
    components: message.components,
    attachments: message.attachments.map((file) => ({
      id: file.id,
      filename: file.name,
      size: file.content.byteLength,
      url: state.linkOf(origin, message, file),
      proxy_url: state.linkOf(origin, message, file),
      content_type: file.mimeType,
    })),
    ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
    ...(replied === undefined ? {} : { referenced_message: wireMessage(state, replied, origin, false) }),
    ...(live && channel?.type !== ChannelType.DM
      ? {
          guild_id: state.guildId,
          member: { nick: null, roles: [], joined_at: null, deaf: false, mute: false, flags: 0 },
        }
      : {}),
  };
}

/** An account in Discord's form. */
export function wireUser({ id, username, global_name, bot }: User): Record<string, unknown> {
  return { id, username, global_name, discriminator: "0", avatar: null, ...(bot ? { bot: true } : {}) };
}

/** A channel in Discord's form. */
export function wireChannel(state: State, { id, type, name, parentId, messages }: Channel): Record<string, unknown> {
  const last = messages.at(-1)?.id ?? null;
  if (type === ChannelType.DM) return { id, type, last_message_id: last, recipients: [] };
  return {
    id,
    type,
    name,
    guild_id: state.guildId,
    parent_id: parentId ?? null,
    position: 0,
    permission_overwrites: [],
    last_message_id: last,
    ...(parentId === undefined
      ? {}
      : {
          owner_id: state.bot.id,
          member_count: 1,
          message_count: messages.length,
          thread_metadata: {
            archived: false,
            auto_archive_duration: 1440,
            archive_timestamp: new Date(0).toISOString(),
            locked: false,
          },
        }),
  };
}

export const isThread = ({ type }: Channel) => type === ChannelType.PublicThread;
export const LOADING = MessageFlags.Loading;
