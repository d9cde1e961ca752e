import { InteractionResponseType, MessageFlags, RESTJSONErrorCodes as Codes } from "discord.js";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import type { Gateway, PlatformMessage, Pressed, Speaker } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import { discordFlavour } from "../render/discord.ts";
import type { DiscordApi, InteractionReply } from "./api.ts";
import type { ChannelFacts } from "./channels.ts";
import { isPersonal } from "./command-list.ts";
import { commandText } from "./command-text.ts";
import { isDiscordError } from "./errors.ts";
import { personOf } from "./ids.ts";
import { placeOf } from "./incoming.ts";
import { claimReply, keepReply } from "./interaction-notes.ts";
import { nameOf } from "./message-text.ts";
import { timeOfSnowflake } from "./snowflake.ts";
import { commandSchema, pressSchema, type WireCommand, type WirePress } from "./wire.ts";

export interface InteractionParts {
  readonly api: Pick<DiscordApi, "defer" | "editReply" | "whisper">;
  readonly gateway: Gateway;
  readonly notes: PlatformNotes;
  readonly log: Log;
}

/** An interaction whose arrival Discord is being told of; `keep` does the rest, and is safe to repeat. */
export interface TakenInteraction {
  readonly id: string;
  readonly kind: "command" | "press";
  readonly channelId: string;
  /** Absent in direct chats. */
  readonly guildId: string | undefined;
  keep(channel: ChannelFacts): Promise<void>;
}

/**
 * Takes an interaction: tells Discord at once that it arrived, before anything else is done, because people see a
 * failure after three seconds. Undefined for what the bot has no use for.
 */
export function takeInteraction(event: unknown, parts: InteractionParts): TakenInteraction | undefined {
  const command = commandSchema.safeParse(event).data;
  if (command !== undefined) {
    const ephemeral = typeof command.guild_id === "string" && isPersonal(command.data.name);
    const deferred = defer(command, InteractionResponseType.DeferredChannelMessageWithSource, ephemeral, parts);
    return {
      ...about(command),
      kind: "command",
      async keep(channel) {
        await deferred;
        await keepCommand(command, channel, parts);
      },
    };
  }
  const press = pressSchema.safeParse(event).data;
  if (press === undefined) return undefined;
  const deferred = defer(press, InteractionResponseType.DeferredMessageUpdate, false, parts);
  return {
    ...about(press),
    kind: "press",
    async keep(channel) {
      await deferred;
      await keepPress(press, channel, parts);
    },
  };
}

function about({ id, channel, guild_id }: WireCommand | WirePress) {
  return { id, channelId: channel.id, guildId: guild_id ?? undefined };
}

/** Never rejects. */
async function defer(
  interaction: { readonly id: string; readonly token: string },
  type: Parameters<DiscordApi["defer"]>[1],
  ephemeral: boolean,
  { api, log }: InteractionParts,
): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      await api.defer(interaction, type, ephemeral);
      return;
    } catch (error) {
      // Told before, by this process or another one.
      if (isDiscordError(error, Codes.InteractionHasAlreadyBeenAcknowledged)) return;
      if (error instanceof OutsideError && error.code === "unavailable") continue;
      // The person has seen a failure; what they asked for is kept all the same, and the answer is a message.
      log.warn(
        { interaction: interaction.id, error: describeError(error) },
        "Discord waited in vain for a sign of life",
      );
      return;
    }
  }
}

async function keepCommand(
  interaction: WireCommand,
  channel: ChannelFacts,
  { api, gateway, notes, log }: InteractionParts,
): Promise<void> {
  const reply = replyOf(interaction);
  await keepReply(interaction.id, reply, notes);
  const taken = await gateway.message(commandMessage(interaction, channel));
  if (taken !== "ignored" && taken !== "told") return;
  if (!(await claimReply(interaction.id, "closed", notes))) return;
  const content =
    taken === "told" ? "I did not take this command; my message here says why." : "I do not take commands here.";
  await api.editReply(reply, { content, allowed_mentions: { parse: [] } }, []).catch((error: unknown) => {
    log.info(
      { interaction: interaction.id, error: describeError(error) },
      "the reply to a command could not be closed",
    );
  });
}

async function keepPress(
  interaction: WirePress,
  channel: ChannelFacts,
  { api, gateway, log }: InteractionParts,
): Promise<void> {
  const { id, data, message } = interaction;
  const pressed = await gateway.pressed({
    ...placeOf(channel),
    id,
    token: data.custom_id,
    by: speakerOf(interaction),
    at: timeOfSnowflake(id),
  });
  const reply = replyOf(interaction);
  // The press counts by now. Telling so is a courtesy: a failure of it must not press a second time.
  await Promise.all([
    api.whisper(reply, discordFlavour.escape(pressed.notice)).catch(note("the person could not be told")),
    showOutcome(pressed, message.content).catch(note("the buttons could not be removed")),
  ]);

  async function showOutcome({ outcome }: Pressed, content: string): Promise<void> {
    if (outcome === undefined) return;
    await api.editReply(reply, outcomeBody(content, outcome), []);
  }

  function note(what: string) {
    return (error: unknown) => {
      log.info({ interaction: id, error: describeError(error) }, `a button was pressed, but ${what}`);
    };
  }
}

/** A message after its buttons have done their work: the buttons go, the outcome takes their place. Pure. */
function outcomeBody(content: string, outcome: string) {
  const line = discordFlavour.escape(outcome);
  if (content.endsWith(line)) return { ...bare, content };
  const whole = content === "" ? line : `${content}\n\n${line}`;
  return { ...bare, content: whole.length <= discordFlavour.limit ? whole : content };
}

const bare = { components: [], flags: MessageFlags.SuppressEmbeds, allowed_mentions: { parse: [] } };

/** A command as a message that calls the bot. Pure. */
function commandMessage(interaction: WireCommand, channel: ChannelFacts): PlatformMessage {
  return {
    ...placeOf(channel),
    id: interaction.id,
    author: speakerOf(interaction),
    text: commandText(interaction.data),
    files: [],
    addressed: true,
    thread: channel.kind === "thread",
    at: timeOfSnowflake(interaction.id),
  };
}

function speakerOf({ member, user }: WireCommand | WirePress): Speaker {
  const account = member?.user ?? user ?? NOBODY;
  return { id: personOf(account.id), name: nameOf(account, member?.nick), isBot: account.bot === true };
}

// Discord always says who it was; were it not to, nobody's rights are the right ones.
const NOBODY = { id: "0", username: "nobody", bot: true };

function replyOf(interaction: WireCommand | WirePress): InteractionReply {
  return { applicationId: interaction.application_id, token: interaction.token };
}
