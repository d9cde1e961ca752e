import { ButtonStyle, ComponentType, MessageFlags, RESTJSONErrorCodes as Codes, type RawFile } from "discord.js";
import { createHash } from "node:crypto";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { Button, Part, Posted, SendContext } from "../contract.ts";
import type { AdapterParts } from "../parts.ts";
import { discordFlavour } from "../render/discord.ts";
import type { DiscordApi, InteractionReply } from "./api.ts";
import type { ChannelDirectory, ChannelFacts } from "./channels.ts";
import { isDiscordError } from "./errors.ts";
import { claimReply, findReply } from "./interaction-notes.ts";
import { isSnowflake, snowflakeAt } from "./snowflake.ts";
import { findTarget } from "./threads.ts";

export interface SendParts extends AdapterParts {
  readonly api: DiscordApi;
  readonly channels: ChannelDirectory;
}

// Discord recognises a repeated message for a few minutes; after this long it is looked for instead.
const NONCE_MS = 60_000;
// Discord's clock and ours may differ by this much.
const CLOCK_MARGIN_MS = 5000;
const MAX_LABEL = 80;
const BUTTONS_IN_A_ROW = 5;
const MAX_BUTTONS = 25;

/** Creates the sending side: each part is posted once, however often it is sent. */
export function createSender(parts: SendParts) {
  const { api, channels, clock, log, notes } = parts;

  return async function send(part: Part, context: SendContext): Promise<Posted> {
    const replies = await claimedReplies(part);
    const [first, ...others] = replies;
    const posted = await deliver(part, first, context);
    await Promise.all(others.map((reply) => close(reply)));
    return posted;
  };

  async function deliver(part: Part, reply: InteractionReply | undefined, context: SendContext): Promise<Posted> {
    const content = await contentOf(part, parts);
    try {
      return await post(part, content, reply, context);
    } catch (error) {
      if (part.file === undefined || !(error instanceof OutsideError) || error.code !== "too-large") throw error;
      log.warn({ file: part.file.name, error: describeError(error) }, "Discord does not take a file of this size");
      const text = `I cannot send the file ${part.file.name} here: it is larger than Discord takes.`;
      return post(part, { text: discordFlavour.escape(text), files: [] }, reply, context);
    }
  }

  async function post(
    part: Part,
    content: Content,
    reply: InteractionReply | undefined,
    context: SendContext,
  ): Promise<Posted> {
    if (reply !== undefined) {
      try {
        const { id } = await api.editReply(reply, bodyOf(part, content), content.files, context.signal);
        return { postedId: id };
      } catch (error) {
        if (!(error instanceof OutsideError) || error.code !== "not-found") throw error;
        log.info({ part: part.id }, "it is too late to answer a command in place; the answer is a message");
      }
    }
    const channel = await findTarget(part.conversationId, context.signal, parts);
    const earlier = await findEarlier(channel.id, part, content, context);
    if (earlier !== undefined) return { postedId: earlier };
    return { postedId: await postIn(channel, part, content, context.signal) };
  }

  async function postIn(channel: ChannelFacts, part: Part, content: Content, signal: AbortSignal): Promise<string> {
    const body = { ...bodyOf(part, content), nonce: nonceOf(part.id), enforce_nonce: true };
    const answered = answeredIn(channel, part);
    try {
      if (answered === undefined) return (await api.post(channel.id, body, content.files, signal)).id;
      const message_reference = { message_id: answered, fail_if_not_exists: false };
      try {
        return (await api.post(channel.id, { ...body, message_reference }, content.files, signal)).id;
      } catch (error) {
        if (!isDiscordError(error, Codes.CannotReplyWithoutPermissionToReadMessageHistory)) throw error;
        return (await api.post(channel.id, body, content.files, signal)).id;
      }
    } catch (error) {
      // It may have been deleted and begun anew elsewhere: the next try looks again.
      if (isDiscordError(error, Codes.UnknownChannel)) channels.forget(channel.id);
      throw error;
    }
  }

  /** The same part, posted by an earlier try that is too old for Discord to recognise it. */
  async function findEarlier(
    channelId: string,
    part: Part,
    { text, files }: Content,
    { repeatSince, signal }: SendContext,
  ): Promise<string | undefined> {
    if (repeatSince === undefined || clock.now() - repeatSince < NONCE_MS) return undefined;
    const { id: me } = await api.me();
    let after = snowflakeAt(repeatSince - CLOCK_MARGIN_MS);
    for (;;) {
      const { messages, last } = await api.messagesAfter(channelId, after, signal);
      const found = messages.find(
        ({ author, content, attachments }) =>
          author.id === me &&
          content.trim() === text.trim() &&
          attachments.map(({ filename }) => filename).join("/") === files.map(({ name }) => name).join("/"),
      );
      if (found !== undefined) return found.id;
      const newest = messages.reduce((max, { id }) => (BigInt(id) > BigInt(max) ? id : max), after);
      if (last || newest === after) return undefined;
      after = newest;
    }
  }

  /** The commands that this part answers, if it is the first that does. */
  async function claimedReplies({ id, answers }: Part): Promise<readonly InteractionReply[]> {
    const found = await Promise.all(
      answers.map(async (answer) => {
        const reply = await findReply(answer, notes);
        return reply !== undefined && (await claimReply(answer, id, notes)) ? reply : undefined;
      }),
    );
    return found.filter((reply) => reply !== undefined);
  }

  /** One answer for several commands: the others say where it is. */
  async function close(reply: InteractionReply): Promise<void> {
    try {
      await api.editReply(reply, { content: "Answered together with the command before." }, []);
    } catch (error) {
      log.info({ error: describeError(error) }, "the reply to a command could not be closed");
    }
  }
}

/** What makes Discord recognise a repeated part: 25 characters, the same for the same part. Pure. */
function nonceOf(partId: string): string {
  return createHash("sha256").update(partId).digest("base64url").slice(0, 25);
}

interface Content {
  readonly text: string;
  readonly files: readonly (RawFile & { readonly name: string })[];
}

async function contentOf({ text, file }: Part, { readFile }: Pick<AdapterParts, "readFile">): Promise<Content> {
  if (file === undefined) return { text, files: [] };
  const data = await readFile(file);
  if (data === undefined)
    return { text: discordFlavour.escape(`I cannot send the file ${file.name}: it is no longer kept.`), files: [] };
  return { text, files: [{ name: file.name, data, contentType: file.media_type }] };
}

function bodyOf({ buttons }: Part, { text }: Content) {
  return {
    ...(text === "" ? {} : { content: text }),
    // The words of an answer may name people; nobody is called by them.
    allowed_mentions: { parse: [] },
    flags: MessageFlags.SuppressEmbeds as const,
    ...(buttons.length === 0 ? {} : { components: rowsOf(buttons) }),
  };
}

const STYLES = { plain: ButtonStyle.Secondary, yes: ButtonStyle.Success, no: ButtonStyle.Danger } as const;

function rowsOf(buttons: readonly Button[]) {
  const shown = buttons.slice(0, MAX_BUTTONS).map(({ label, token, style }) => ({
    type: ComponentType.Button as const,
    style: STYLES[style],
    label: label.length <= MAX_LABEL ? label : `${label.slice(0, MAX_LABEL - 1)}…`,
    custom_id: token,
  }));
  const rows = Math.ceil(shown.length / BUTTONS_IN_A_ROW);
  return Array.from({ length: rows }, (_, row) => ({
    type: ComponentType.ActionRow as const,
    components: shown.slice(row * BUTTONS_IN_A_ROW, (row + 1) * BUTTONS_IN_A_ROW),
  }));
}

/** In a channel of a server an answer begins by pointing at what it answers; elsewhere that is plain. */
function answeredIn({ kind }: ChannelFacts, { id, answers }: Part): string | undefined {
  if ((kind !== "channel" && kind !== "other") || !id.endsWith(":0")) return undefined;
  return answers.find((answer) => isSnowflake(answer));
}
