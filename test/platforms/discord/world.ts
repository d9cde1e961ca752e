import { ChannelType, GatewayDispatchEvents as Dispatch, MessageType } from "discord.js";
import { createDiscordAdapter } from "../../../src/platforms/discord/adapter.ts";
import type { DiscordOptions } from "../../../src/platforms/discord/options.ts";
import { conversationOf, personOf } from "../../../src/platforms/discord/ids.ts";
import type { Chat, Shown, World, WorldFile } from "../world.ts";
import { commandData } from "./command-data.ts";
import { startDiscord, type DiscordServer } from "./server.ts";
import {
  LOADING,
  wireChannel,
  wireMessage,
  wireUser,
  type Channel,
  type Message,
  type State,
  type User,
} from "./state.ts";

type Always = "group" | "delete" | "cut" | "fault";

/** The common world, and the server behind it for what only Discord has. */
export interface DiscordWorld extends Omit<World, Always>, Required<Pick<World, Always>> {
  readonly server: DiscordServer;
  /** The Discord channel of a chat. */
  channel(chat: Chat): Channel;
  /** Discord adds the preview of a link to a message. */
  unfurl(chat: Chat, id: string): void;
  /** The thread at a message, begun by a person when it is not there yet. */
  threadOf(chat: Chat, id: string): Chat;
  /** An adapter with settings of its own. */
  adapterWith(
    options: Partial<DiscordOptions>,
    parts: Parameters<World["adapter"]>[0],
  ): ReturnType<typeof createDiscordAdapter>;
  /** Says something exactly as written, with all that Discord allows. */
  sayRaw(chat: Chat, by: string, message: RawMessage): string;
  /** Resolves when the condition holds; looked at after every change. */
  when(condition: () => boolean): Promise<void>;
}

export interface RawMessage {
  readonly content: string;
  readonly mentions?: readonly User[];
  readonly type?: MessageType;
  readonly replyTo?: string;
  readonly files?: readonly WorldFile[];
}

const TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.world.token-of-the-test-bot";

/** Opens a Discord on this machine. */
export async function openDiscordWorld(): Promise<DiscordWorld> {
  const server = await startDiscord(TOKEN);
  const { state, gateway } = server;
  const chats = new Map<string, Chat>();
  const places = new Map<Chat, Channel>();
  const events = new Map<string, { readonly event: Dispatch; readonly data: object }>();

  function chatOf(channel: Channel): Chat {
    const known = chats.get(channel.id);
    if (known !== undefined) return known;
    const chat: Chat = {
      direct: channel.type === ChannelType.DM,
      conversation: () => conversationOf(channel.id),
    };
    chats.set(channel.id, chat);
    places.set(chat, channel);
    return chat;
  }

  function placed(chat: Chat): Channel {
    const channel = places.get(chat);
    if (channel === undefined) throw new Error("This chat is not one of this world");
    return channel;
  }

  function find(name: string, type: ChannelType, more: { readonly with?: string } = {}): Chat {
    const found = [...state.channels.values()].find((each) => each.name === name && each.type === type);
    if (found !== undefined) return chatOf(found);
    const made = state.channel(name, type, more);
    if (type !== ChannelType.DM) gateway.dispatch(Dispatch.ChannelCreate, wireChannel(state, made));
    return chatOf(made);
  }

  function dispatch(id: string, event: Dispatch, data: object): void {
    events.set(id, { event, data });
    gateway.dispatch(event, data);
    state.changed();
  }

  function sayRaw(chat: Chat, by: string, { content, mentions = [], type, replyTo, files = [] }: RawMessage): string {
    const channel = placed(chat);
    const message: Message = {
      id: state.newId(),
      channelId: channel.id,
      author: state.speaker(by),
      content,
      type: type ?? (replyTo === undefined ? MessageType.Default : MessageType.Reply),
      at: state.now(),
      flags: 0,
      mentions,
      components: [],
      attachments: files.map((file) => ({ ...file, id: state.newId() })),
      ...(replyTo === undefined ? {} : { reference: replyTo }),
    };
    channel.messages.push(message);
    dispatch(message.id, Dispatch.MessageCreate, wireMessage(state, message, server.origin, true));
    return message.id;
  }

  async function when(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const stop = state.watch(() => {
        if (!condition()) return;
        stop();
        resolve();
      });
    });
  }

  function interaction(channel: Channel, by: string) {
    const id = state.newId();
    const user = state.user(by);
    const made = {
      id,
      token: `interaction-${id}`,
      channelId: channel.id,
      userId: user.id,
      at: state.now(),
      expired: false,
    };
    state.interactions.set(made.token, made);
    const base = {
      id,
      application_id: state.applicationId,
      token: made.token,
      version: 1,
      channel: { id: channel.id, type: channel.type },
      entitlements: [],
      authorizing_integration_owners: {},
      attachment_size_limit: 10_485_760,
      channel_id: channel.id,
      ...(channel.type === ChannelType.DM
        ? { user: wireUser(user) }
        : { guild_id: state.guildId, member: { user: wireUser(user), nick: null, roles: [], permissions: "0" } }),
    };
    return { made, base };
  }

  const world: DiscordWorld = {
    platform: "discord",
    server,
    env: { DISCORD_TOKEN: TOKEN, DISCORD_API_URL: server.apiUrl },
    adapter: (parts) => world.adapterWith({}, parts),
    adapterWith: (options, parts) =>
      createDiscordAdapter(
        { token: TOKEN, apiUrl: server.apiUrl, threads: "busy", fetch: globalThis.fetch, ...options },
        parts,
      ),
    person: (name) => ({ id: personOf(state.user(name).id), name, isBot: false }),
    bot: (name) => ({ id: personOf(state.user(name, true).id), name, isBot: true }),
    direct: (person) => find(`with ${person}`, ChannelType.DM, { with: person }),
    group: (name) => find(name, ChannelType.GuildText),
    channel: placed,
    unfurl(chat, id) {
      const message = state.findMessage(placed(chat).id, id);
      if (message === undefined) throw new Error("There is no such message");
      gateway.dispatch(Dispatch.MessageUpdate, wireMessage(state, message, server.origin, true));
    },
    threadOf(chat, id) {
      const there = state.channels.get(id);
      if (there !== undefined) return chatOf(there);
      const made = state.channel("a thread", ChannelType.PublicThread, { parentId: placed(chat).id }, id);
      gateway.dispatch(Dispatch.ThreadCreate, { ...wireChannel(state, made), newly_created: true });
      return chatOf(made);
    },
    sayRaw,
    async say(chat, by, { text, mention = false, files = [] }) {
      // A bot that was never there has no direct chats that it could look into later.
      await when(() => gateway.begun.identified > 0);
      const content = mention ? `<@${state.bot.id}> ${text}` : text;
      return sayRaw(chat, by, { content, files, mentions: mention ? [state.bot] : [] });
    },
    edit(chat, id, text) {
      const message = state.findMessage(placed(chat).id, id);
      if (message === undefined) throw new Error("There is no such message");
      const mention = message.mentions.some((user) => user.id === state.bot.id);
      message.content = mention ? `<@${state.bot.id}> ${text}` : text;
      message.editedAt = state.now();
      gateway.dispatch(Dispatch.MessageUpdate, wireMessage(state, message, server.origin, true));
      return Promise.resolve();
    },
    delete(chat, id) {
      const { id: channelId, messages, type } = placed(chat);
      messages.splice(
        messages.findIndex((message) => message.id === id),
        1,
      );
      const guild = type === ChannelType.DM ? {} : { guild_id: state.guildId };
      gateway.dispatch(Dispatch.MessageDelete, { id, channel_id: channelId, ...guild });
      return Promise.resolve();
    },
    async command(chat, by, command) {
      // People see the commands only once the bot has registered them.
      await when(() => state.commands.length > 0);
      const { made, base } = interaction(placed(chat), by);
      const data = commandData(command, state.commands);
      dispatch(made.id, Dispatch.InteractionCreate, {
        ...base,
        type: 2,
        data: { id: state.newId(), type: 1, ...data },
      });
      return made.id;
    },
    async press(chat, by, { id }, label) {
      const channel = placed(chat);
      const message = state.findMessage(channel.id, id);
      const button = message?.components.flatMap((row) => row.components).find((each) => each.label === label);
      if (message === undefined || button === undefined) throw new Error(`There is no button ${label}`);
      const { made, base } = interaction(channel, by);
      state.interactions.set(made.token, { ...made, original: message.id });
      const told = () =>
        channel.messages.find((each) => each.whisper === true && each.reference === `${made.userId}/${made.token}`);
      dispatch(made.id, Dispatch.InteractionCreate, {
        ...base,
        type: 3,
        data: { component_type: 2, custom_id: button.custom_id },
        message: wireMessage(state, message, server.origin, false),
      });
      await when(() => told() !== undefined);
      return told()?.content ?? "";
    },
    shown: (chat) => shownIn(placed(chat), state),
    async until(chat, condition) {
      await when(() => condition(shownIn(placed(chat), state)));
      return shownIn(placed(chat), state);
    },
    when,
    fault: (...faults) => void server.faults.push(...faults),
    cut: () => gateway.cut(),
    redeliver(id, times) {
      const known = events.get(id);
      if (known === undefined) throw new Error(`There was no event of message ${id}`);
      for (let time = 0; time < times; time++) gateway.dispatch(known.event, known.data);
      return Promise.resolve();
    },
    // The gateway has no acknowledgement: what was sent counts as received.
    unacknowledged: () => 0,
    close: () => server.close(),
  };
  return world;
}

function shownIn({ messages }: Channel, state: State): readonly Shown[] {
  return messages
    .filter(({ author, flags, whisper }) => author.id === state.bot.id && (flags & LOADING) === 0 && whisper !== true)
    .map(({ id, content, components, attachments }) => ({
      id,
      text: content,
      buttons: components.flatMap((row) => row.components.map(({ label }) => ({ label }))),
      files: attachments.map(({ name, mimeType, content: bytes }) => ({ name, mimeType, content: bytes })),
    }));
}
