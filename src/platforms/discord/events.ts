import { GatewayDispatchEvents as Dispatch } from "discord.js";
import { OutsideError } from "../../kernel/errors.ts";
import type { ListenContext } from "../listening.ts";
import type { AdapterParts } from "../parts.ts";
import type { DiscordApi } from "./api.ts";
import { directFacts, factsOf, type ChannelDirectory, type ChannelFacts } from "./channels.ts";
import { createGapReader } from "./gap.ts";
import { isEdit, readMessage } from "./incoming.ts";
import { createIntake } from "./intake.ts";
import { takeInteraction } from "./interactions.ts";
import { messageText } from "./message-text.ts";
import type { DiscordAccount, ThreadRule } from "./options.ts";
import type { ReadMarks } from "./read-marks.ts";
import { registerCommands } from "./register-commands.ts";
import type { Reporter } from "./reporter.ts";
import { conversationOfMessage, placeMessage } from "./threads.ts";
import {
  channelSchema,
  deletionSchema,
  guildSchema,
  messageSchema,
  readySchema,
  roleSchema,
  type WireChannel,
  type WireMessage,
} from "./wire.ts";

/** What listening needs besides its context. */
export interface ListenParts extends Pick<AdapterParts, "clock" | "log" | "notes"> {
  readonly account: DiscordAccount;
  readonly api: DiscordApi;
  readonly channels: ChannelDirectory;
  readonly threads: ThreadRule;
}

export interface EventParts extends Pick<ListenParts, "api" | "channels" | "log" | "notes" | "threads"> {
  readonly context: Omit<ListenContext, "report">;
  readonly marks: ReadMarks;
  readonly report: Reporter;
  /** Ends listening; it is then begun again, and what was missed is fetched. */
  readonly fail: (error: OutsideError) => void;
}

/**
 * What is done about each event of the gateway. Handlers are called in the order of events, take no time and never
 * throw; what has to be kept goes through the intake.
 */
export function createEvents(parts: EventParts) {
  const { api, channels, context, log, marks, notes, report } = parts;
  const { gateway, signal } = context;
  const intake = createIntake({
    log,
    signal,
    onTrouble: (trouble) => report.keeping(trouble),
    onSettled: (id) => marks.heard(id, intake.lowest()),
    onOverflow: () =>
      parts.fail(
        new OutsideError("More events of Discord came in than could be kept; the rest is fetched later", {
          code: "overloaded",
          retry: { kind: "after" },
        }),
      ),
  });
  const readGap = createGapReader({ api, log, signal });
  /** Servers that have to be shown again, with the common mark as it was when they were heard last. */
  const awaited = new Map<string, string>();
  // By id; ids of roles are unique over all servers.
  const roles = new Map<string, string>();
  const names = { channel: (id: string) => channels.known(id)?.name, role: (id: string) => roles.get(id) };
  let me = "";
  let guildsCame = () => {};

  /** What is known of the place of an event. What cannot be known counts as a place without threads. */
  async function place(channelId: string, guildId: string | null | undefined): Promise<ChannelFacts> {
    // The events of direct chats name no server.
    if (typeof guildId !== "string") return directFacts(channelId);
    try {
      return await channels.find(channelId, signal);
    } catch (error) {
      if (error instanceof OutsideError && error.retry.kind === "never")
        return { id: channelId, kind: "other", name: "" };
      throw error;
    }
  }

  async function keepMessage(wire: WireMessage, channel: ChannelFacts): Promise<void> {
    const read = readMessage(wire, { me, channel, names });
    if (read === undefined) return;
    if (read.direct) await marks.met(channel.id, wire.id);
    const message = await placeMessage(read, channel, { gateway, notes, rule: parts.threads });
    const taken = await gateway.message(message);
    if (taken !== "ignored") await marks.kept({ id: channel.id, direct: channel.kind === "direct" }, wire.id);
  }

  function fetchGap(channel: ChannelFacts, after: string): void {
    intake.add(channel.id, after, () => readGap(channel.id, after, (wire) => keepMessage(wire, channel)));
  }

  function fetchGuild(found: readonly WireChannel[], common: string): void {
    for (const channel of found.map(factsOf)) {
      const after = marks.after(channel.id, common);
      if (channel.lastMessageId === undefined) continue;
      if (BigInt(channel.lastMessageId) > BigInt(after)) fetchGap(channel, after);
    }
  }

  function learn(data: unknown): void {
    const channel = channelSchema.safeParse(data).data;
    if (channel !== undefined) channels.learn(factsOf(channel));
  }

  function forget(data: unknown): void {
    const channel = channelSchema.safeParse(data).data;
    if (channel !== undefined) channels.forget(channel.id);
  }

  function removed(data: unknown): void {
    const gone = deletionSchema.safeParse(data).data;
    if (gone === undefined) return unreadable("deletion");
    context.heard();
    const ids = gone.ids ?? (gone.id === undefined ? [] : [gone.id]);
    for (const id of ids) {
      intake.add(gone.channel_id, id, async () => {
        await gateway.deleted({ conversationId: await conversationOfMessage(id, gone.channel_id, notes), id });
      });
    }
  }

  function unreadable(what: string): void {
    log.error({ what }, "an event of Discord is in a form that nobody knows");
  }

  function learnRole(data: unknown): void {
    const role = roleSchema.safeParse(data).data?.role;
    if (role !== undefined) roles.set(role.id, role.name);
  }

  const handlers: Readonly<Partial<Record<string, (data: unknown) => void>>> = {
    [Dispatch.Ready](data) {
      const ready = readySchema.safeParse(data).data;
      if (ready === undefined) {
        parts.fail(new OutsideError("Discord began the connection in a form that nobody knows", { code: "garbled" }));
        return;
      }
      me = ready.user.id;
      const common = marks.common();
      guildsCame();
      guildsCame = intake.hold(common);
      for (const { id } of ready.guilds) awaited.set(id, common);
      for (const id of marks.directChats()) {
        fetchGap(directFacts(id), marks.after(id, common));
      }
      report.connected();
      void registerCommands(ready.application.id, { api, notes, log });
    },
    [Dispatch.Resumed]() {
      report.connected();
    },
    [Dispatch.GuildCreate](data) {
      const guild = guildSchema.safeParse(data).data;
      if (guild === undefined) return unreadable("server");
      const all = [...guild.channels, ...guild.threads];
      for (const channel of all) channels.learn(factsOf(channel));
      for (const { id, name } of guild.roles) roles.set(id, name);
      // A server that the bot was just invited to has no past for it.
      const common = awaited.get(guild.id);
      if (common === undefined) return;
      awaited.delete(guild.id);
      fetchGuild(all, common);
    },
    [Dispatch.GuildDelete](data) {
      const guild = guildSchema.safeParse(data).data;
      if (guild?.unavailable === true && !awaited.has(guild.id)) awaited.set(guild.id, marks.common());
    },
    [Dispatch.GuildRoleCreate]: learnRole,
    [Dispatch.GuildRoleUpdate]: learnRole,
    [Dispatch.ChannelCreate]: learn,
    [Dispatch.ChannelUpdate]: learn,
    [Dispatch.ChannelDelete]: forget,
    [Dispatch.ThreadCreate]: learn,
    [Dispatch.ThreadUpdate]: learn,
    [Dispatch.ThreadDelete]: forget,
    [Dispatch.MessageCreate](data) {
      const wire = messageSchema.safeParse(data).data;
      if (wire === undefined) return unreadable("message");
      if (wire.author.id === me) return;
      context.heard();
      intake.add(wire.channel_id, wire.id, async () => keepMessage(wire, await place(wire.channel_id, wire.guild_id)));
    },
    [Dispatch.MessageUpdate](data) {
      const wire = messageSchema.safeParse(data).data;
      // Changes that only add a preview may come without an author: they change no words.
      if (wire === undefined || wire.author.id === me || !isEdit(wire)) return;
      context.heard();
      intake.add(wire.channel_id, wire.id, async () => {
        await gateway.edited({
          conversationId: await conversationOfMessage(wire.id, wire.channel_id, notes),
          id: wire.id,
          text: messageText(wire, me, names),
        });
      });
    },
    [Dispatch.MessageDelete]: removed,
    [Dispatch.MessageDeleteBulk]: removed,
    [Dispatch.InteractionCreate](data) {
      context.heard();
      const taken = takeInteraction(data, { api, gateway, notes, log });
      if (taken === undefined) return;
      const { channelId, guildId, id, kind } = taken;
      // A press does not wait for what was written; commands keep their place among it.
      const lane = kind === "press" ? `press/${id}` : channelId;
      intake.add(lane, id, async () => taken.keep(await place(channelId, guildId)), { final: true });
    },
  };

  return {
    /** Takes an event by its name; those of no interest are left alone. */
    take: (name: string, data: unknown): void => handlers[name]?.(data),
    /** Every server has been shown, or takes too long: the common mark may move on. */
    allGuildsCame: () => guildsCame(),
    /** Resolves when everything that came in is kept or, after the abort, left to the next listener. */
    async settled(): Promise<void> {
      await intake.settled();
      await marks.save();
    },
  };
}
