import { RESTJSONErrorCodes as Codes } from "discord.js";
import { z } from "zod";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { ConversationId } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/ports.ts";
import type { Gateway, PlatformMessage } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import type { DiscordApi } from "./api.ts";
import type { ChannelDirectory, ChannelFacts } from "./channels.ts";
import { isDiscordError } from "./errors.ts";
import { channelOf, conversationOf } from "./ids.ts";
import type { ThreadRule } from "./options.ts";

const whereSchema = z.discriminatedUnion("in", [
  z.object({ in: z.literal("channel") }),
  z.object({ in: z.literal("thread"), parent: z.string(), name: z.string() }),
]);
type Where = z.infer<typeof whereSchema>;

const whereKey = (messageId: string) => `where:${messageId}`;

/**
 * Puts a message that calls the bot in a channel into the conversation it belongs to: the channel's, or a thread that
 * begins at this message. Decided once: every delivery of the message, in any process, gives the same.
 */
export async function placeMessage(
  message: PlatformMessage,
  channel: ChannelFacts,
  parts: { readonly gateway: Pick<Gateway, "busy">; readonly notes: PlatformNotes; readonly rule: ThreadRule },
): Promise<PlatformMessage> {
  if (channel.kind !== "channel" || !message.addressed || message.author.isBot) return message;
  // A command is about the conversation in which it is given.
  if (parts.rule === "never" || message.text.startsWith("/")) return message;
  const apart = parts.rule === "always" || (await parts.gateway.busy(message.conversationId));
  const decided: Where = apart
    ? { in: "thread", parent: channel.id, name: threadName(message.text) }
    : { in: "channel" };
  const where = readWhere(await parts.notes.keep(whereKey(message.id), JSON.stringify(decided)));
  return where?.in === "thread" ? { ...message, conversationId: conversationOf(message.id) } : message;
}

/** The conversation into which a message of a channel was put earlier. */
export async function conversationOfMessage(
  messageId: string,
  channelId: string,
  notes: PlatformNotes,
): Promise<ConversationId> {
  const where = readWhere(await notes.read(whereKey(messageId)));
  return conversationOf(where?.in === "thread" ? messageId : channelId);
}

/**
 * The place in which a conversation's messages are posted. A thread that was decided on is begun when it is not there
 * yet; where that is not allowed, its channel takes the messages.
 */
export async function findTarget(
  conversation: ConversationId,
  signal: AbortSignal,
  parts: {
    readonly api: Pick<DiscordApi, "startThread">;
    readonly channels: ChannelDirectory;
    readonly notes: PlatformNotes;
    readonly log: Log;
  },
): Promise<ChannelFacts> {
  const id = channelOf(conversation);
  try {
    return await parts.channels.find(id, signal);
  } catch (error) {
    if (!isDiscordError(error, Codes.UnknownChannel)) throw error;
    const where = readWhere(await parts.notes.read(whereKey(id)));
    if (where?.in !== "thread") throw error;
    const begun = await begin(id, where, signal, parts);
    if (!begun) return parts.channels.find(where.parent, signal);
    const facts: ChannelFacts = { id, kind: "thread", name: where.name, parentId: where.parent };
    parts.channels.learn(facts);
    return facts;
  }
}

async function begin(
  id: string,
  { parent, name }: Extract<Where, { in: "thread" }>,
  signal: AbortSignal,
  { api, log }: { readonly api: Pick<DiscordApi, "startThread">; readonly log: Log },
): Promise<boolean> {
  try {
    await api.startThread(parent, id, name, signal);
    return true;
  } catch (error) {
    if (isDiscordError(error, Codes.ThreadAlreadyCreatedForMessage)) return true;
    if (error instanceof OutsideError && error.retry.kind === "after") throw error;
    log.warn({ channel: parent, error: describeError(error) }, "no thread could be begun; the channel gets the answer");
    return false;
  }
}

/** The first words of a message as the name of its thread; Discord takes 100 characters. Pure. */
export function threadName(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  if (line === "") return "Answer";
  const characters = Array.from(line);
  return characters.length <= 60 ? line : `${characters.slice(0, 59).join("")}…`;
}

function readWhere(text: string | undefined): Where | undefined {
  if (text === undefined) return undefined;
  try {
    return whereSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
