import { createSlackAdapter, type SlackOptions } from "../../../src/platforms/slack/adapter.ts";
import { accountOf, conversationAt } from "../../../src/platforms/slack/ids.ts";
import type { AdapterParts } from "../../../src/platforms/parts.ts";
import type { Chat, Fault, Shown, World, WorldFile } from "../world.ts";
import { type SlackServer, startSlackServer } from "./server.ts";
import { BOT, type Channel, type KeptFile, type KeptMessage, TEAM } from "./workspace.ts";

interface SlackChat extends Chat {
  readonly channel: Channel;
  /** Set for a thread. */
  readonly root?: string;
}

/** A Slack workspace on this machine, and what only tests of Slack itself need of it. */
export interface SlackWorld extends World {
  readonly server: SlackServer;
  options(): SlackOptions;
  /** Opens the assistant's pane, as a person does: a new thread in the direct chat. */
  openPane(person: string): Chat;
  channelOf(chat: Chat): Channel;
  group(name: string): Chat;
  thread(chat: Chat, id: string): Chat;
  delete(chat: Chat, id: string): Promise<void>;
  fault(...faults: readonly Fault[]): void;
  cut(): void;
}

/** Opens a workspace with Socket Mode. */
export async function openSlackWorld(): Promise<SlackWorld> {
  const server = await startSlackServer();
  const { space, rules } = server;
  const chats = new Map<string, SlackChat>();

  const options = (): SlackOptions => ({
    botToken: rules.botToken,
    appToken: rules.appToken,
    apiUrl: server.apiUrl,
  });

  const chatOf = (channel: Channel, root?: string): SlackChat => {
    const key = `${channel.id}:${root ?? ""}`;
    const known = chats.get(key);
    if (known !== undefined) return known;
    const made: SlackChat = {
      direct: channel.direct,
      channel,
      ...(root === undefined ? {} : { root }),
      conversation: (id) => conversationAt({ channel: channel.id, thread: root ?? (channel.direct ? undefined : id) }),
    };
    chats.set(key, made);
    return made;
  };
  const own = (chat: Chat): SlackChat => {
    const known = [...chats.values()].find((one) => one === chat);
    if (known === undefined) throw new Error("a chat of another world");
    return known;
  };

  const keepFile = (file: WorldFile, user: string, at: { channel: string; ts: string }): KeptFile => {
    const kept: KeptFile = { ...file, id: space.newId("F"), user, shared: at, complete: true };
    space.files.set(kept.id, kept);
    return kept;
  };

  const shown = (chat: Chat): readonly Shown[] => {
    const { channel, root } = own(chat);
    return space.messages
      .filter((message) => message.channel === channel.id && message.user === BOT.id)
      .filter(({ ts, thread_ts }) => root === undefined || thread_ts === root || ts === root)
      .map(toShown);
  };

  const find = (id: string): KeptMessage => {
    const message = space.messages.find(({ ts }) => ts === id);
    if (message === undefined) throw new Error(`no message ${id}`);
    return message;
  };

  const world: SlackWorld = {
    platform: "slack",
    server,
    options,
    adapter: (parts: AdapterParts) => createSlackAdapter(options(), parts),
    env: {
      SLACK_BOT_TOKEN: rules.botToken,
      SLACK_APP_TOKEN: rules.appToken,
      SLACK_API_URL: server.apiUrl,
    },
    person: (name) => ({ id: accountOf(space.account(name, false).id), name, isBot: false }),
    bot: (name) => ({ id: accountOf(space.account(name, true).id), name, isBot: true }),
    direct: (person) => chatOf(space.channel(person, space.account(person, false))),
    group: (name) => chatOf(space.channel(name)),
    thread: (chat, id) => chatOf(own(chat).channel, id),
    channelOf: (chat) => own(chat).channel,

    openPane: (person) => {
      const channel = space.channel(person, space.account(person, false));
      const root = space.add({
        channel: channel.id,
        user: BOT.id,
        bot_id: BOT.botId ?? "",
        subtype: "assistant_app_thread",
        text: "New Assistant Thread",
      });
      server.event(
        {
          type: "assistant_thread_started",
          assistant_thread: {
            user_id: channel.user,
            context: { channel_id: "C0ELSEWHERE", team_id: TEAM, enterprise_id: null },
            channel_id: channel.id,
            thread_ts: root.ts,
          },
          event_ts: root.ts,
        },
        root.ts,
      );
      return chatOf(channel, root.ts);
    },

    say: (chat, by, { text, mention = false, files = [] }) => {
      const { channel, root } = own(chat);
      const account = [...space.accounts.values()].find(({ name }) => name === by) ?? space.account(by, false);
      const ts = space.nextTs();
      const message = space.add({
        ts,
        channel: channel.id,
        user: account.id,
        ...(account.botId === undefined ? {} : { bot_id: account.botId }),
        text: `${mention ? `<@${BOT.id}> ` : ""}${escape(text)}`,
        ...(root === undefined ? {} : { thread_ts: root }),
        ...(files.length === 0
          ? {}
          : {
              subtype: "file_share",
              files: files.map((file) => keepFile(file, account.id, { channel: channel.id, ts })),
            }),
      });
      server.tellPosted(message);
      return Promise.resolve(message.ts);
    },

    edit: (_, id, text) => {
      const message = find(id);
      const before = { ...message };
      const mention = message.text.startsWith(`<@${BOT.id}>`) ? `<@${BOT.id}> ` : "";
      message.text = `${mention}${escape(text)}`;
      message.edited = { user: message.user ?? "", ts: space.nextTs() };
      server.tellChanged(message, before);
      return Promise.resolve();
    },

    delete: (_, id) => {
      const message = find(id);
      space.remove(message);
      server.event(
        {
          type: "message",
          subtype: "message_deleted",
          hidden: true,
          channel: message.channel,
          channel_type: space.channels.get(message.channel)?.direct === true ? "im" : "channel",
          ts: space.nextTs(),
          deleted_ts: id,
          previous_message: { ...message, channel: undefined },
        },
        id,
      );
      return Promise.resolve();
    },

    command: async (chat, by, command) => {
      const { channel, root } = own(chat);
      // Slack has no slash commands in threads.
      if (root !== undefined) return await world.say(chat, by, { text: command.replace(/^\//, "!") });
      const trigger = newTrigger();
      server.bring(
        "slash_commands",
        {
          token: "verification",
          team_id: TEAM,
          channel_id: channel.id,
          channel_name: channel.direct ? "directmessage" : channel.name,
          user_id: space.account(by, false).id,
          user_name: by.toLowerCase(),
          command: "/parley",
          text: command.replace(/^\//, ""),
          api_app_id: "A0PARLEY1",
          is_enterprise_install: "false",
          response_url: `${server.url}/commands/${TEAM}/1`,
          trigger_id: trigger,
        },
        trigger,
      );
      return trigger;
    },

    press: async (chat, by, message, label) => {
      const kept = find(message.id);
      const user = space.account(by, false);
      const element = buttonsOf(kept).find(({ text }) => text.text === label);
      if (element === undefined) throw new Error(`no button ${label} under ${message.id}`);
      const trigger = newTrigger();
      const before = space.ephemerals.length;
      const { channel } = own(chat);
      server.bring(
        "interactive",
        {
          type: "block_actions",
          user: { id: user.id, username: by.toLowerCase(), name: by, team_id: TEAM },
          api_app_id: "A0PARLEY1",
          token: "verification",
          container: { type: "message", message_ts: kept.ts, channel_id: kept.channel, is_ephemeral: false },
          trigger_id: trigger,
          team: { id: TEAM, domain: "parley" },
          channel: { id: channel.id, name: channel.direct ? "directmessage" : channel.name },
          message: { ...kept, channel: undefined },
          response_url: `${server.url}/actions/${TEAM}/1`,
          actions: [{ type: "button", block_id: "b1", ...element, action_ts: space.nextTs() }],
        },
        kept.ts,
      );
      const told = await space.until(() => space.ephemerals.slice(before).find(({ user: whom }) => whom === user.id));
      return unescape(told.text);
    },

    shown,
    until: (chat, condition) =>
      space.until(() => {
        const now = shown(chat);
        return condition(now) ? now : undefined;
      }),
    fault: (...faults) => {
      server.faults.push(...faults);
    },
    cut: () => {
      for (const socket of server.sockets) socket.cut();
    },
    redeliver: async (id, times) => {
      const about = server.sent.filter((envelope) => envelope.about === id);
      for (const { type, payload } of about)
        for (let time = 0; time < times; time++) await server.bring(type, payload, id).answered;
    },
    unacknowledged: () => server.pending.size,
    close: server.close,
  };
  return world;

  function newTrigger(): string {
    const trigger = `${Math.floor(Date.now() / 1_000)}.738474920.${space.newId("x")}`;
    rules.triggers.add(trigger);
    return trigger;
  }
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const unescape = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

interface ButtonElement {
  readonly action_id: string;
  readonly value: string;
  readonly text: { readonly text: string };
}

function buttonsOf({ blocks = [] }: KeptMessage): readonly ButtonElement[] {
  return blocks
    .filter(({ type }) => type === "actions")
    .flatMap(({ elements }) => elements as readonly ButtonElement[]);
}

/** What people see: blocks where there are any, else the text. */
function toShown(message: KeptMessage): Shown {
  const blocks = (message.blocks ?? []).flatMap((block): string[] => {
    if (block["type"] === "markdown") return [String(block["text"])];
    if (block["type"] === "section") return [(block["text"] as { text: string }).text];
    if (block["type"] === "context") return (block["elements"] as { text: string }[]).map(({ text }) => text);
    return [];
  });
  return {
    id: message.ts,
    text: blocks.length === 0 ? message.text : blocks.join("\n"),
    buttons: buttonsOf(message).map(({ text }) => ({ label: text.text })),
    files: (message.files ?? []).map(({ name, mimeType, content }) => ({ name, mimeType, content })),
  };
}
