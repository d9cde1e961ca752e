import { randomBytes } from "node:crypto";
import type { Message, MessageEntity, User } from "grammy/types";
import { parseWorkspaceId } from "../../../src/kernel/ids.ts";
import { createTelegramAdapter } from "../../../src/platforms/telegram/adapter.ts";
import { conversationOf } from "../../../src/platforms/telegram/chats.ts";
import type { TelegramOptions } from "../../../src/platforms/telegram/options.ts";
import type { AdapterParts } from "../../../src/platforms/parts.ts";
import type { Chat, Fault, Shown, World, WorldFile } from "../world.ts";
import { BOT, BotApi, type Kept, type ServedChat } from "./bot-api.ts";
import { openProxy } from "./proxy.ts";
import { serveBotApi } from "./server.ts";

/** A world of Telegram, with more than the common one: what the tests of this platform alone need. */
export interface TelegramWorld extends World {
  readonly api: BotApi;
  readonly token: string;
  readonly url: string;
  readonly options: TelegramOptions;
  adapter(parts: AdapterParts, options?: Partial<TelegramOptions>): ReturnType<typeof createTelegramAdapter>;
  group(name: string): Chat;
  /** A person deletes a message; Telegram does not tell bots. */
  remove(chat: Chat, id: string): void;
  fault(...faults: readonly Fault[]): void;
  cut(): void;
  /** A topic of a group. */
  topic(chat: Chat, id: number): Chat;
  served(chat: Chat): ServedChat;
  user(name: string): User;
  /** A message with any content, as Telegram would bring it; resolves with its id. */
  bring(chat: Chat, by: string, content: object): string;
  kept(chat: Chat): readonly Kept[];
  /** The id of the album that was said last. */
  lastAlbum(): string;
  /** Resolves when the condition holds; looked at after every change of the server. */
  when(condition: () => boolean): Promise<void>;
}

interface Room {
  readonly chat: number;
  readonly topic: number | undefined;
}

/** Opens a Bot API server with people on it. With `webhook` the program is called through a proxy of its own. */
export async function openTelegramWorld({ webhook = false } = {}): Promise<TelegramWorld> {
  const api = new BotApi();
  const proxy = webhook ? await openProxy() : undefined;
  const token = `${BOT.id}:${randomBytes(32).toString("base64url").slice(0, 35)}`;
  const server = await serveBotApi(api, token);
  const rooms = new Map<Chat, Room>();
  const named = new Map<string, Chat>();
  const users = new Map<string, User>();
  let nextAlbum = 1;
  let nextPress = 1;

  const user = (name: string, isBot = false): User => {
    const known = users.get(name);
    if (known !== undefined) return known;
    const made: User = { id: 1_000 + users.size, is_bot: isBot, first_name: name };
    users.set(name, made);
    return made;
  };
  const account = ({ id, first_name, is_bot }: User) => ({
    id: parseWorkspaceId(`telegram:${id}`),
    name: first_name,
    isBot: is_bot,
  });
  const room = (chat: Chat): Room => {
    const found = rooms.get(chat);
    if (found === undefined) throw new Error("this chat is of another world");
    return found;
  };
  const open = (key: string, served: Pick<ServedChat, "id" | "type" | "title">): Chat => {
    const known = named.get(key);
    if (known !== undefined) return known;
    api.chats.set(served.id, {
      ...served,
      topics: new Map(),
      forum: false,
      blocked: false,
      kicked: false,
      muted: false,
      movedTo: undefined,
    });
    const chat: Chat = {
      direct: served.type === "private",
      conversation: () => conversationOf(served.id, undefined),
    };
    rooms.set(chat, { chat: served.id, topic: undefined });
    named.set(key, chat);
    return chat;
  };
  const served = (chat: Chat): ServedChat => {
    const found = api.chats.get(room(chat).chat);
    if (found === undefined) throw new Error("there is no such chat");
    return found;
  };
  const kept = (chat: Chat): readonly Kept[] => {
    const { chat: id, topic } = room(chat);
    const { movedTo } = served(chat);
    return api.messages.filter(
      (message) => message.byBot && (message.chat === id || message.chat === movedTo) && message.topic === topic,
    );
  };
  const bring = (chat: Chat, by: string, content: object): string => {
    const { chat: id, topic } = room(chat);
    const { type, title } = served(chat);
    const from = user(by);
    const message_id = api.newMessageId();
    const message = {
      message_id,
      date: 1_760_000_000,
      chat: type === "private" ? { id, type, first_name: title } : { id, type, title },
      from,
      ...(topic === undefined ? {} : { message_thread_id: topic, is_topic_message: true }),
      ...content,
    } as Message;
    const text = message.text ?? message.caption ?? "";
    api.messages.push({
      id: message_id,
      chat: id,
      byBot: false,
      raw: text,
      text,
      entities: [],
      keyboard: undefined,
      files: [],
      topic,
      replyTo: undefined,
      silent: false,
      linkPreview: true,
    });
    api.updates.add({ message } as Parameters<typeof api.updates.add>[0]);
    return String(message_id);
  };
  const store = (file: WorldFile): string => {
    const id = `BQACAgIAAxkBAAI${randomBytes(24).toString("base64url")}`;
    api.files.set(id, file);
    return id;
  };
  const when = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        leave();
        resolve();
      };
      const leave = api.onChange(look);
      look();
    });
  const shown = (chat: Chat): readonly Shown[] => kept(chat).map(showOf);
  const hook = proxy === undefined ? undefined : { url: `${proxy.url}/telegram/webhook`, secret: "a-secret_of-ours" };
  const options: TelegramOptions = { token, apiUrl: server.url, webhook: hook };

  return {
    platform: "telegram",
    api,
    token,
    url: server.url,
    options,
    env: {
      TELEGRAM_BOT_TOKEN: token,
      TELEGRAM_API_URL: server.url,
      ...(hook === undefined ? {} : { TELEGRAM_WEBHOOK_URL: hook.url, TELEGRAM_WEBHOOK_SECRET: hook.secret }),
    },
    attach: (url) => proxy?.leadTo(url),
    adapter: (parts, more = {}) => createTelegramAdapter({ ...options, ...more }, parts),
    person: (name) => account(user(name)),
    bot: (name) => account(user(name, true)),
    user,
    direct: (person) => {
      const { id, first_name } = user(person);
      return open(`direct ${person}`, { id, type: "private", title: first_name });
    },
    group: (name) => open(`group ${name}`, { id: -1_001_000_000_000 - named.size, type: "supergroup", title: name }),
    topic(chat, id) {
      const key = `topic ${room(chat).chat} ${id}`;
      const known = named.get(key);
      if (known !== undefined) return known;
      served(chat).topics.set(id, "open");
      served(chat).forum = true;
      const made: Chat = { direct: false, conversation: () => conversationOf(room(chat).chat, id) };
      rooms.set(made, { chat: room(chat).chat, topic: id });
      named.set(key, made);
      return made;
    },
    served,
    bring,
    kept,
    when,
    lastAlbum: () => String(13_000_000 + nextAlbum - 1),
    say(chat, by, { text, mention = false, files = [] }) {
      const words = mention ? `@${BOT.username} ${text}` : text;
      const entities: MessageEntity[] = [
        ...(mention ? [{ type: "mention" as const, offset: 0, length: BOT.username.length + 1 }] : []),
        ...(text.startsWith("/") && !mention ? [commandEntity(text)] : []),
      ];
      if (files.length === 0) return Promise.resolve(bring(chat, by, { text: words, entities }));
      const album = files.length > 1 ? { media_group_id: String(13_000_000 + nextAlbum++) } : {};
      const ids = files.map((file, index) =>
        bring(chat, by, {
          ...album,
          document: {
            file_id: store(file),
            file_unique_id: "x",
            file_name: file.name,
            mime_type: file.mimeType,
            file_size: file.content.length,
          },
          ...(index === 0 && words !== "" ? { caption: words, caption_entities: entities } : {}),
        }),
      );
      return Promise.resolve(ids[0] ?? "");
    },
    edit(chat, id, text) {
      const { chat: chatId, topic } = room(chat);
      const message = api.messages.find((each) => each.chat === chatId && String(each.id) === id);
      if (message === undefined) throw new Error(`there is no message ${id}`);
      Object.assign(message, { text, raw: text });
      const { type, title } = served(chat);
      api.updates.add({
        edited_message: {
          message_id: message.id,
          date: 1_760_000_000,
          edit_date: 1_760_000_001,
          chat: { id: chatId, type, title },
          from: user("someone"),
          ...(topic === undefined ? {} : { message_thread_id: topic, is_topic_message: true }),
          text,
        },
      } as Parameters<typeof api.updates.add>[0]);
      return Promise.resolve();
    },
    remove(chat, id) {
      const at = api.messages.findIndex((each) => each.chat === room(chat).chat && String(each.id) === id);
      if (at !== -1) api.messages.splice(at, 1);
    },
    command(chat, by, command) {
      const [name = "", ...rest] = command.split(" ");
      const called = served(chat).type === "private" ? name : `${name}@${BOT.username}`;
      const text = [called, ...rest].join(" ");
      return Promise.resolve(bring(chat, by, { text, entities: [commandEntity(text)] }));
    },
    press(chat, by, message, label) {
      const found = api.messages.find((each) => String(each.id) === message.id);
      const button = found?.keyboard?.inline_keyboard.flat().find(({ text }) => text === label);
      if (found === undefined || button === undefined || !("callback_data" in button))
        throw new Error(`there is no button ${label}`);
      const { type, title } = served(chat);
      const id = String(40_000_000_000_000 + nextPress++);
      const told = new Promise<string>((resolve) => {
        api.presses.set(id, ({ text }) => resolve(text));
      });
      api.updates.add({
        callback_query: {
          id,
          from: user(by),
          chat_instance: "1",
          data: button.callback_data,
          message: {
            message_id: found.id,
            date: 1_760_000_000,
            chat: { id: found.chat, type, title },
            from: BOT,
            ...(found.topic === undefined ? {} : { message_thread_id: found.topic, is_topic_message: true }),
            text: found.text,
            entities: found.entities,
          },
        },
      } as Parameters<typeof api.updates.add>[0]);
      return told;
    },
    shown,
    async until(chat, condition) {
      await when(() => condition(shown(chat)));
      return shown(chat);
    },
    fault: (...faults) => void api.faults.push(...faults),
    cut: () => api.updates.cut(),
    redeliver(id, times) {
      for (let time = 0; time < times; time++) api.updates.again(id);
      return Promise.resolve();
    },
    unacknowledged: () => api.updates.pending,
    async close() {
      api.updates.close();
      await Promise.all([server.close(), proxy?.close()]);
    },
  };
}

function commandEntity(text: string): MessageEntity {
  return { type: "bot_command", offset: 0, length: text.split(" ")[0]?.length ?? 0 };
}

function showOf({ id, raw, keyboard, files }: Kept): Shown {
  const buttons = keyboard?.inline_keyboard.flat().map(({ text }) => ({ label: text })) ?? [];
  return { id: String(id), text: raw, buttons, files };
}
