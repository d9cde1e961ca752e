import {
  MessageFlags,
  REST,
  Routes,
  type InteractionResponseType,
  type RawFile,
  type RESTPatchAPIChannelMessageJSONBody,
  type RESTPostAPIChannelMessageJSONBody,
  type RESTPutAPIApplicationCommandsJSONBody,
} from "discord.js";
import { z } from "zod";
import { OutsideError } from "../../kernel/errors.ts";
import { toOutsideError, type Attempt } from "./errors.ts";
import type { DiscordAccount } from "./options.ts";
import {
  accountSchema,
  channelSchema,
  messageSchema,
  type WireChannel,
  type WireMessage,
  type WireUser,
} from "./wire.ts";

/** A reply to an interaction: who may write it, and for how long is Discord's business (15 minutes). */
export interface InteractionReply {
  readonly applicationId: string;
  readonly token: string;
}

/** What is known of a message that was just posted or changed. */
export interface Posted {
  readonly id: string;
}

/** Some messages of a channel. */
export interface Page {
  readonly messages: readonly WireMessage[];
  /** There are none after these. */
  readonly last: boolean;
}

// A request that takes longer is given up; the outbox tries again.
const TIMEOUT_MS = 15_000;
const INTERACTIONS_PER_SECOND = 500;

/** How the library talks to Discord: no retries and no waiting of its own, because the outbox owns both. */
export function restOptions({ apiUrl }: DiscordAccount) {
  return {
    ...(apiUrl === undefined ? {} : { api: apiUrl.replace(/\/+$/, "") }),
    retries: 0,
    timeout: TIMEOUT_MS,
    rejectOnRateLimit: () => true,
  };
}

/** What the adapter asks of Discord over HTTP. Every call throws `OutsideError` and nothing else. */
export type DiscordApi = ReturnType<typeof createApi>;

/** Creates the HTTP side; nothing is asked before the first call. */
export function createApi(account: DiscordAccount) {
  const rest = new REST(restOptions(account));
  // Answers to interactions are outside of the 50 requests a second that a bot has.
  const interactions = new REST({ ...restOptions(account), globalRequestsPerSecond: INTERACTIONS_PER_SECOND });
  let me: Promise<WireUser> | undefined;

  async function call<T>(
    attempt: Attempt,
    reply: z.ZodType<T>,
    request: (rest: REST) => Promise<unknown>,
    by = rest,
  ): Promise<T> {
    let said: unknown;
    try {
      // The library forgets the token when Discord refuses it once.
      rest.setToken(account.token);
      said = await request(by);
    } catch (error) {
      throw toOutsideError(error, attempt);
    }
    const parsed = reply.safeParse(said);
    if (parsed.success) return parsed.data;
    throw new OutsideError(`Discord was asked to ${attempt.what} and replied with something unreadable`, {
      code: "garbled",
      retry: { kind: "after" },
      cause: parsed.error,
    });
  }

  const postPermission = (files: readonly RawFile[]) => (files.length > 0 ? "Attach Files" : "Send Messages");

  return {
    /** Ends the timers of the library. */
    close(): void {
      for (const each of [rest, interactions]) {
        each.clearHashSweeper();
        each.clearHandlerSweeper();
      }
    },

    /** The bot's own account. Asked once. */
    me(): Promise<WireUser> {
      me ??= call({ what: "say who the bot is" }, accountSchema, (to) => to.get(Routes.user())).catch(
        (error: unknown) => {
          me = undefined;
          throw error;
        },
      );
      return me;
    },

    channel(id: string, signal?: AbortSignal): Promise<WireChannel> {
      return call({ what: `show channel ${id}`, permission: "View Channel" }, channelSchema, (to) =>
        to.get(Routes.channel(id), withSignal(signal)),
      );
    },

    post(
      channelId: string,
      body: RESTPostAPIChannelMessageJSONBody,
      files: readonly RawFile[],
      signal: AbortSignal,
    ): Promise<Posted> {
      return call({ what: `post in channel ${channelId}`, permission: postPermission(files) }, postedSchema, (to) =>
        to.post(Routes.channelMessages(channelId), { body, files: [...files], signal }),
      );
    },

    edit(
      channelId: string,
      messageId: string,
      body: RESTPatchAPIChannelMessageJSONBody,
      signal?: AbortSignal,
    ): Promise<Posted> {
      return call({ what: `change message ${messageId} in channel ${channelId}` }, postedSchema, (to) =>
        to.patch(Routes.channelMessage(channelId, messageId), { body, ...withSignal(signal) }),
      );
    },

    delete(channelId: string, messageId: string, signal?: AbortSignal): Promise<unknown> {
      return call({ what: `delete message ${messageId} in channel ${channelId}` }, anything, (to) =>
        to.delete(Routes.channelMessage(channelId, messageId), withSignal(signal)),
      );
    },

    message(channelId: string, messageId: string, signal: AbortSignal): Promise<WireMessage> {
      return call(
        { what: `show message ${messageId} in channel ${channelId}`, permission: "Read Message History" },
        messageSchema,
        (to) => to.get(Routes.channelMessage(channelId, messageId), { signal }),
      );
    },

    /** At most a hundred messages: those right after `after`, in no particular order. */
    async messagesAfter(channelId: string, after: string, signal: AbortSignal): Promise<Page> {
      const query = new URLSearchParams({ after, limit: String(PAGE) });
      const found = await call(
        { what: `show the messages of channel ${channelId}`, permission: "Read Message History" },
        z.array(z.unknown()),
        (to) => to.get(Routes.channelMessages(channelId), { query, signal }),
      );
      // One message in a form that nobody knows must not hide the others.
      const messages = found.flatMap((each) => messageSchema.safeParse(each).data ?? []);
      return { messages, last: found.length < PAGE };
    },

    typing(channelId: string, signal: AbortSignal): Promise<unknown> {
      return call({ what: `show typing in channel ${channelId}` }, anything, (to) =>
        to.post(Routes.channelTyping(channelId), { signal }),
      );
    },

    /** Begins a thread at a message; the thread gets the message's id. */
    startThread(channelId: string, messageId: string, name: string, signal: AbortSignal): Promise<WireChannel> {
      return call(
        { what: `begin a thread in channel ${channelId}`, permission: "Create Public Threads" },
        channelSchema,
        (to) => to.post(Routes.threads(channelId, messageId), { body: { name, auto_archive_duration: 1440 }, signal }),
      );
    },

    /** Tells Discord within its three seconds that an interaction arrived. */
    defer(
      interaction: { readonly id: string; readonly token: string },
      type: InteractionResponseType.DeferredChannelMessageWithSource | InteractionResponseType.DeferredMessageUpdate,
      ephemeral: boolean,
    ): Promise<unknown> {
      const body = { type, ...(ephemeral ? { data: { flags: MessageFlags.Ephemeral } } : {}) };
      return call(
        { what: `take interaction ${interaction.id}` },
        anything,
        (to) => to.post(Routes.interactionCallback(interaction.id, interaction.token), { body, auth: false }),
        interactions,
      );
    },

    /** Puts something in place of the reply that was promised to an interaction; for a button, its message. */
    editReply(
      reply: InteractionReply,
      body: RESTPatchAPIChannelMessageJSONBody,
      files: readonly RawFile[],
      signal?: AbortSignal,
    ): Promise<Posted> {
      return call(
        { what: "answer an interaction", permission: postPermission(files) },
        postedSchema,
        (to) =>
          to.patch(Routes.webhookMessage(reply.applicationId, reply.token), {
            body,
            files: [...files],
            auth: false,
            ...withSignal(signal),
          }),
        interactions,
      );
    },

    /** Says something more about an interaction, to the person alone. */
    whisper(reply: InteractionReply, content: string): Promise<Posted> {
      const body = { content, flags: MessageFlags.Ephemeral, allowed_mentions: { parse: [] } };
      return call(
        { what: "tell a person something" },
        postedSchema,
        (to) => to.post(Routes.webhook(reply.applicationId, reply.token), { body, auth: false }),
        interactions,
      );
    },

    setCommands(applicationId: string, body: RESTPutAPIApplicationCommandsJSONBody): Promise<unknown> {
      return call({ what: "register the commands" }, anything, (to) =>
        to.put(Routes.applicationCommands(applicationId), { body }),
      );
    },
  };
}

const PAGE = 100;
const postedSchema = z.object({ id: z.string() });
// What has no content of interest: an empty reply, or a confirmation.
const anything = z.unknown();

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
