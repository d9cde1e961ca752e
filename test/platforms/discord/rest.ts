import {
  ChannelType,
  GatewayDispatchEvents as Dispatch,
  InteractionResponseType,
  MessageFlags,
  MessageType,
} from "discord.js";
import { z } from "zod";
import {
  ApiError,
  invalidForm,
  missingAccess,
  missingPermissions,
  unauthorized,
  unknownChannel,
  unknownInteraction,
  unknownMessage,
  unknownWebhook,
} from "./api-error.ts";
import { checkBody, checkMessage, messageBodySchema, type MessageBody } from "./requests.ts";
import {
  isThread,
  LOADING,
  wireChannel,
  wireMessage,
  wireUser,
  type Channel,
  type Interaction,
  type Message,
  type Permission,
  type State,
} from "./state.ts";
import type { WorldFile } from "../world.ts";

export interface Call {
  readonly method: string;
  /** Without the version. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: unknown;
  readonly files: readonly WorldFile[];
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  /** The call put something where people see it. */
  readonly posted?: true;
}

export interface RestParts {
  readonly state: State;
  readonly origin: () => string;
  readonly dispatch: (event: Dispatch, data: object) => void;
}

const MAX_FILE_BYTES = 10 * 1024 * 1024;
const DEFER_MS = 3000;
const DEFERRED_REPLY: number = InteractionResponseType.DeferredChannelMessageWithSource;
const DEFERRED_UPDATE: number = InteractionResponseType.DeferredMessageUpdate;

type Route = (call: Call, match: readonly string[]) => Reply;

/** Discord's HTTP API as far as a bot such as this uses it. Throws `ApiError` with Discord's own words. */
export function createRest({ state, origin, dispatch }: RestParts): (call: Call) => Reply {
  const shown = (message: Message) => wireMessage(state, message, origin(), false);
  const tell = (event: Dispatch, message: Message) => dispatch(event, wireMessage(state, message, origin(), true));

  function channelOf(id: string, ...needs: readonly Permission[]): Channel {
    const channel = state.channels.get(id);
    if (channel === undefined) throw unknownChannel();
    if (channel.denied.has("view")) throw missingAccess();
    for (const need of needs) {
      if (!channel.denied.has(need)) continue;
      throw channel.type === ChannelType.DM
        ? new ApiError(403, 50007, "Cannot send messages to this user")
        : missingPermissions();
    }
    return channel;
  }

  function messageOf(channelId: string, id: string): Message {
    const message = state.findMessage(channelId, id);
    if (message === undefined) throw unknownMessage();
    return message;
  }

  function checkFiles(files: readonly WorldFile[]): void {
    if (files.some(({ content }) => content.byteLength > MAX_FILE_BYTES))
      throw new ApiError(413, 40005, "Request entity too large");
  }

  function add(channel: Channel, body: MessageBody, files: readonly WorldFile[], more: Partial<Message> = {}): Message {
    const { content, flags, components = [], nonce, message_reference: reference } = body;
    const message: Message = {
      id: state.newId(),
      channelId: channel.id,
      author: state.bot,
      content: (content ?? "").trim(),
      type: reference === undefined ? MessageType.Default : MessageType.Reply,
      at: state.now(),
      flags,
      mentions: [],
      components,
      attachments: files.map((file) => ({ ...file, id: state.newId() })),
      ...(nonce === undefined ? {} : { nonce }),
      ...(reference === undefined ? {} : { reference: reference.message_id }),
      ...more,
    };
    channel.messages.push(message);
    if (message.whisper !== true) tell(Dispatch.MessageCreate, message);
    state.changed();
    return message;
  }

  function change(message: Message, body: MessageBody, files: readonly WorldFile[]): void {
    if (body.content !== undefined) message.content = (body.content ?? "").trim();
    if (body.components !== undefined) message.components = body.components;
    message.flags = (message.flags & ~LOADING) | body.flags;
    message.attachments.push(...files.map((file) => ({ ...file, id: state.newId() })));
    message.editedAt = state.now();
    tell(Dispatch.MessageUpdate, message);
    state.changed();
  }

  function interactionOf(token: string): Interaction {
    const interaction = state.interactions.get(token);
    if (interaction === undefined) throw unknownWebhook();
    if (interaction.expired) throw new ApiError(401, 50027, "Invalid Webhook Token");
    return interaction;
  }

  const routes: readonly (readonly [method: string, path: RegExp, route: Route])[] = [
    ["GET", /^\/users\/@me$/, () => ({ status: 200, body: wireUser(state.bot) })],
    [
      "GET",
      /^\/gateway\/bot$/,
      () => ({
        status: 200,
        body: {
          url: `${origin().replace("http", "ws")}/gateway`,
          shards: 1,
          session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
        },
      }),
    ],
    [
      "PUT",
      /^\/applications\/(\d+)\/commands$/,
      ({ body }) => {
        const commands = z.array(z.looseObject({ name: z.string() })).parse(body);
        for (const command of commands) checkBody("command", command);
        state.commands = commands;
        state.changed();
        return { status: 200, body: commands.map((command) => ({ ...command, id: state.newId(), type: 1 })) };
      },
    ],
    ["GET", /^\/channels\/(\d+)$/, (_call, [id = ""]) => ({ status: 200, body: wireChannel(state, channelOf(id)) })],
    [
      "POST",
      /^\/channels\/(\d+)\/typing$/,
      (_call, [id = ""]) => {
        channelOf(id, "send");
        state.typing.set(id, (state.typing.get(id) ?? 0) + 1);
        state.changed();
        return { status: 204 };
      },
    ],
    [
      "GET",
      /^\/channels\/(\d+)\/messages$/,
      ({ query }, [id = ""]) => {
        const { denied, messages } = channelOf(id);
        const limit = z.coerce
          .number()
          .min(1)
          .max(100)
          .parse(query.get("limit") ?? 50);
        const after = BigInt(query.get("after") ?? 0);
        // Whoever may not read the history gets an empty one. Of what is newer than `after` the oldest come first, and
        // every page has its newest on top.
        const found = denied.has("history")
          ? []
          : messages.filter((each) => BigInt(each.id) > after && each.whisper !== true);
        return { status: 200, body: found.slice(0, limit).toReversed().map(shown) };
      },
    ],
    [
      "GET",
      /^\/channels\/(\d+)\/messages\/(\d+)$/,
      (_call, [channelId = "", id = ""]) => {
        channelOf(channelId, "history");
        return { status: 200, body: shown(messageOf(channelId, id)) };
      },
    ],
    [
      "POST",
      /^\/channels\/(\d+)\/messages$/,
      ({ body: given, files }, [id = ""]) => {
        const channel = channelOf(id, "send", ...(files.length > 0 ? (["attach"] as const) : []));
        checkBody("post", given);
        const body = messageBodySchema.parse(given);
        checkMessage(body, files.length);
        checkFiles(files);
        const { nonce, enforce_nonce: enforce, message_reference: reference } = body;
        const same = channel.messages.find((each) => nonce !== undefined && each.nonce === nonce);
        if (enforce === true && same !== undefined) return { status: 200, body: shown(same), posted: true };
        if (reference !== undefined) {
          if (channel.denied.has("history"))
            throw new ApiError(400, 160002, "Cannot reply without permission to read message history");
          if (reference.fail_if_not_exists !== false && state.findMessage(id, reference.message_id) === undefined)
            throw invalidForm("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message");
        }
        return { status: 200, body: shown(add(channel, body, files)), posted: true };
      },
    ],
    [
      "PATCH",
      /^\/channels\/(\d+)\/messages\/(\d+)$/,
      ({ body: given, files }, [channelId = "", id = ""]) => {
        channelOf(channelId);
        checkBody("edit", given);
        const body = messageBodySchema.parse(given);
        checkMessage(body, files.length);
        const message = messageOf(channelId, id);
        if (message.author.id !== state.bot.id)
          throw new ApiError(403, 50005, "Cannot edit a message authored by another user");
        change(message, body, files);
        return { status: 200, body: shown(message) };
      },
    ],
    [
      "DELETE",
      /^\/channels\/(\d+)\/messages\/(\d+)$/,
      (_call, [channelId = "", id = ""]) => {
        const { messages } = channelOf(channelId);
        const index = messages.indexOf(messageOf(channelId, id));
        messages.splice(index, 1);
        state.changed();
        return { status: 204 };
      },
    ],
    [
      "POST",
      /^\/channels\/(\d+)\/messages\/(\d+)\/threads$/,
      ({ body: given }, [channelId = "", id = ""]) => {
        const channel = channelOf(channelId, "threads");
        checkBody("thread", given);
        const message = messageOf(channelId, id);
        if (isThread(channel)) throw new ApiError(400, 50024, "Cannot execute action on this channel type");
        if (state.channels.has(id))
          throw new ApiError(400, 160004, "A thread has already been created for this message");
        const { name } = z.object({ name: z.string() }).parse(given);
        const thread = state.channel(name, ChannelType.PublicThread, { parentId: channelId }, id);
        message.flags |= MessageFlags.HasThread;
        dispatch(Dispatch.ThreadCreate, { ...wireChannel(state, thread), newly_created: true });
        tell(Dispatch.MessageUpdate, message);
        state.changed();
        return { status: 201, body: wireChannel(state, thread) };
      },
    ],
    [
      "POST",
      /^\/interactions\/(\d+)\/([^/]+)\/callback$/,
      ({ body: given }, [id = "", token = ""]) => {
        const interaction = state.interactions.get(token);
        if (interaction?.id !== id) throw unknownInteraction();
        if (interaction.deferredAfterMs !== undefined)
          throw new ApiError(400, 40060, "Interaction has already been acknowledged.");
        const afterMs = state.now() - interaction.at;
        if (afterMs > DEFER_MS) throw unknownInteraction();
        const body = z.object({ type: z.number(), data: z.object({ flags: z.number() }).optional() }).parse(given);
        const channel = state.channels.get(interaction.channelId);
        if (channel === undefined) throw unknownChannel();
        interaction.deferredAfterMs = afterMs;
        if (body.type === DEFERRED_REPLY) {
          const flags = LOADING | (body.data?.flags ?? 0);
          interaction.original = add(channel, { flags }, [], { type: MessageType.ChatInputCommand }).id;
        } else if (body.type !== DEFERRED_UPDATE) {
          throw invalidForm("type", "BASE_TYPE_CHOICES", "Value must be one of the deferred ones.");
        }
        state.changed();
        return { status: 204 };
      },
    ],
    [
      "PATCH",
      /^\/webhooks\/(\d+)\/([^/]+)\/messages\/@original$/,
      ({ body: given, files }, [, token = ""]) => {
        const { channelId, original } = interactionOf(token);
        if (original === undefined) throw unknownMessage();
        checkBody("editReply", given);
        const body = messageBodySchema.parse(given);
        checkMessage(body, files.length);
        checkFiles(files);
        const message = messageOf(channelId, original);
        change(message, body, files);
        return { status: 200, body: shown(message), posted: true };
      },
    ],
    [
      "POST",
      /^\/webhooks\/(\d+)\/([^/]+)$/,
      ({ body: given, files }, [, token = ""]) => {
        const { channelId, deferredAfterMs, userId } = interactionOf(token);
        const channel = state.channels.get(channelId);
        if (deferredAfterMs === undefined || channel === undefined) throw unknownWebhook();
        checkBody("followup", given);
        const body = messageBodySchema.parse(given);
        checkMessage(body, files.length);
        const whisper = (body.flags & MessageFlags.Ephemeral) !== 0;
        const message = add(channel, body, files, { whisper, reference: `${userId}/${token}` });
        return { status: 200, body: shown(message) };
      },
    ],
  ];

  return function handle(call) {
    const isOpen = /^\/(interactions|webhooks)\//.test(call.path);
    if (!isOpen && call.authorization !== `Bot ${state.token}`) throw unauthorized();
    for (const [method, path, route] of routes) {
      const match = method === call.method ? path.exec(call.path) : null;
      if (match !== null) return route(call, match.slice(1));
    }
    throw new ApiError(404, 0, "404: Not Found");
  };
}
