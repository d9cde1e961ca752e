import type { InlineKeyboardMarkup, Message, MessageEntity, User } from "grammy/types";
import { z } from "zod";
import type { Fault, WorldFile } from "../world.ts";
import { ApiFault } from "./api-fault.ts";
import { BadHtml, parseHtml, type ParsedText } from "./html-entities.ts";
import type { Upload } from "./multipart.ts";
import { Updates } from "./updates.ts";

export const BOT: User & { username: string } = {
  id: 987_654_321,
  is_bot: true,
  first_name: "Parley",
  username: "parley_bot",
};

/** A message as the server keeps it. */
export interface Kept {
  readonly id: number;
  readonly chat: number;
  readonly byBot: boolean;
  /** As it was given, marks included. */
  raw: string;
  text: string;
  entities: MessageEntity[];
  keyboard: InlineKeyboardMarkup | undefined;
  readonly files: readonly WorldFile[];
  readonly topic: number | undefined;
  readonly replyTo: number | undefined;
  readonly silent: boolean;
  readonly linkPreview: boolean;
}

export interface ServedChat {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup";
  readonly title: string;
  readonly topics: Map<number, "open" | "closed">;
  forum: boolean;
  blocked: boolean;
  kicked: boolean;
  /** Nobody may post there. */
  muted: boolean;
  movedTo: number | undefined;
}

type Args = Record<string, unknown>;
interface Call {
  readonly method: string;
  readonly args: Args;
  readonly files: ReadonlyMap<string, Upload>;
  /** Ends the connection that the call came by. */
  readonly cut: () => void;
}

/** The reply of a call is lost after it took effect. */
export class ReplyLost extends Error {}

const POSTING: ReadonlySet<string> = new Set(["sendMessage", "sendPhoto", "sendDocument", "sendMediaGroup"]);
const MAX_TEXT = 4_096;
const MAX_CAPTION = 1_024;
const MAX_DOWNLOAD = 20_000_000;

const integer = z.coerce.number().int();
const flag = z.union([z.boolean(), z.stringbool()]).optional();
/** Objects come as JSON text in a multipart body. */
const json = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (typeof value === "string" ? JSON.parse(value) : value), schema);
const keyboardSchema = json(
  z.object({
    inline_keyboard: z
      .array(z.array(z.object({ text: z.string().min(1), callback_data: z.string(), style: z.string().optional() })))
      .default([]),
  }),
).optional();
const replySchema = json(z.object({ message_id: integer, allow_sending_without_reply: flag })).optional();
const entitiesSchema = json(z.array(z.looseObject({ type: z.string(), offset: integer, length: integer }))).optional();
const postSchema = z.object({
  chat_id: integer,
  message_thread_id: integer.optional(),
  parse_mode: z.enum(["HTML"]).optional(),
  reply_parameters: replySchema,
  reply_markup: keyboardSchema,
  disable_notification: flag,
  link_preview_options: json(z.object({ is_disabled: flag })).optional(),
  entities: entitiesSchema,
});
type PostArgs = z.infer<typeof postSchema>;

/** What a Bot API server knows and does, for one bot. People's side is in `world.ts`. */
export class BotApi {
  readonly chats = new Map<number, ServedChat>();
  readonly messages: Kept[] = [];
  readonly updates: Updates;
  readonly files = new Map<string, WorldFile>();
  readonly faults: Fault[] = [];
  /** What was called, without waiting polls. */
  readonly calls: { readonly method: string; readonly args: Args }[] = [];
  readonly menus = new Map<string, unknown>();
  readonly drafts: { readonly chat: number; readonly id: number; readonly text: string }[] = [];
  readonly presses = new Map<string, (told: { readonly text: string; readonly alert: boolean }) => void>();
  /** An older server does not know drafts. */
  knowsDrafts = true;
  /** The token is revoked. */
  revoked = false;
  #nextMessage = 100;
  readonly #onCall = new Map<string, () => unknown>();
  readonly #onArrival = new Map<string, (args: Args) => unknown>();
  #garbled: { readonly body: string | undefined } | undefined;
  readonly #refusedPolls: ApiFault[] = [];
  readonly #listeners = new Set<() => void>();

  constructor() {
    this.updates = new Updates(() => this.changed());
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  newMessageId(): number {
    return this.#nextMessage++;
  }

  /** So many polls are refused like this from now on. */
  refusePolls(times: number, ...[status, description, parameters]: ConstructorParameters<typeof ApiFault>): void {
    for (let time = 0; time < times; time++) this.#refusedPolls.push(new ApiFault(status, description, parameters));
  }

  /** The next call, whichever it is, is answered with this instead of JSON; with nothing its connection ends. */
  answerNext(body: string | undefined): void {
    this.#garbled = { body };
  }

  takeGarbled(): { readonly body: string | undefined } | undefined {
    const garbled = this.#garbled;
    this.#garbled = undefined;
    return garbled;
  }

  /** Runs when a call of this method arrives; when it throws `ReplyLost` the call never takes effect. */
  onArrival(method: string, work: ((args: Args) => unknown) | undefined): void {
    if (work === undefined) this.#onArrival.delete(method);
    else this.#onArrival.set(method, work);
  }

  /** Runs after a call of this method took effect, before it is answered. */
  onCall(method: string, work: (() => unknown) | undefined): void {
    if (work === undefined) this.#onCall.delete(method);
    else this.#onCall.set(method, work);
  }

  /** Does one call; throws `ApiFault` for what Telegram refuses. */
  async call(call: Call): Promise<unknown> {
    await this.#onArrival.get(call.method)?.(call.args);
    if (this.revoked) throw new ApiFault(401, "Unauthorized");
    if (call.method !== "getUpdates") this.calls.push({ method: call.method, args: call.args });
    const fault = POSTING.has(call.method) ? this.faults.shift() : undefined;
    if (fault !== undefined && fault.kind !== "reply-lost") throwFault(fault, call.args, this.faults);
    const result = await this.#do(call);
    await this.#onCall.get(call.method)?.();
    this.changed();
    if (fault?.kind === "reply-lost") throw new ReplyLost();
    return result;
  }

  async #do(call: Call): Promise<unknown> {
    const { method, args } = call;
    switch (method) {
      case "getMe":
        return { ...BOT, can_join_groups: true, can_read_all_group_messages: true, supports_inline_queries: false };
      case "getUpdates":
        return this.#poll(call);
      case "setWebhook":
        return this.#setWebhook(args);
      case "deleteWebhook":
        this.updates.setWebhook(undefined);
        return true;
      case "getWebhookInfo":
        return this.#webhookInfo();
      case "sendMessage":
        return this.#shown(this.#sendMessage(args));
      case "sendPhoto":
        return this.#shown(this.#sendFile(call, "photo"));
      case "sendDocument":
        return this.#shown(this.#sendFile(call, "document"));
      case "editMessageText":
        return this.#edit(args, true);
      case "editMessageReplyMarkup":
        return this.#edit(args, false);
      case "deleteMessage":
        return this.#delete(args);
      case "sendChatAction":
        this.#open(z.object({ chat_id: integer }).parse(args).chat_id);
        return true;
      case "sendMessageDraft":
        return this.#draft(args);
      case "answerCallbackQuery":
        return this.#answerPress(args);
      case "setMyCommands":
        return this.#setMenu(args);
      case "getFile":
        return this.#getFile(args);
      default:
        throw new ApiFault(404, "Not Found: method not found");
    }
  }

  #poll({ args, cut }: Call): Promise<unknown> {
    const refused = this.#refusedPolls.shift();
    if (refused !== undefined) throw refused;
    const { offset, limit, timeout, allowed_updates } = z
      .object({
        offset: integer.default(0),
        limit: integer.default(100),
        timeout: integer.default(0),
        allowed_updates: json(z.array(z.string())).optional(),
      })
      .parse(args);
    return this.updates.poll({ offset, limit, timeout, allowed: allowed_updates, cut });
  }

  #setWebhook(args: Args): true {
    const { url, secret_token, allowed_updates } = z
      .object({
        url: z.string(),
        secret_token: z.string().optional(),
        allowed_updates: json(z.array(z.string())).optional(),
      })
      .parse(args);
    if (secret_token !== undefined && !/^[\w-]{1,256}$/.test(secret_token))
      throw new ApiFault(400, "Bad Request: secret token contains unallowed characters");
    this.updates.setWebhook(url === "" ? undefined : { url, secret: secret_token }, allowed_updates);
    return true;
  }

  #webhookInfo() {
    const { webhook, pending, lastError } = this.updates;
    return {
      url: webhook?.url ?? "",
      has_custom_certificate: false,
      pending_update_count: pending,
      ...(lastError === undefined ? {} : { last_error_date: 1, last_error_message: lastError }),
    };
  }

  /** The chat, when the bot may post there. */
  #open(id: number, topic?: number): ServedChat {
    const chat = this.chats.get(id);
    if (chat === undefined) throw new ApiFault(400, "Bad Request: chat not found");
    if (chat.movedTo !== undefined)
      throw new ApiFault(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: chat.movedTo,
      });
    if (chat.blocked) throw new ApiFault(403, "Forbidden: bot was blocked by the user");
    if (chat.kicked) throw new ApiFault(403, `Forbidden: bot was kicked from the ${chat.type} chat`);
    if (chat.muted) throw new ApiFault(400, "Bad Request: not enough rights to send text messages to the chat");
    if (topic === undefined) return chat;
    const state = chat.topics.get(topic);
    if (state === undefined) throw new ApiFault(400, "Bad Request: message thread not found");
    if (state === "closed") throw new ApiFault(400, "Bad Request: TOPIC_CLOSED");
    return chat;
  }

  #sendMessage(args: Args): Kept {
    const { text, ...given } = postSchema.extend({ text: z.string() }).parse(args);
    this.#open(given.chat_id, given.message_thread_id);
    return this.#keep(text, readWords(text, given, MAX_TEXT, "message is too long"), given, []);
  }

  #sendFile({ args, files }: Call, field: "photo" | "document"): Kept {
    const { caption = "", ...given } = postSchema.extend({ caption: z.string().optional() }).parse(args);
    this.#open(given.chat_id, given.message_thread_id);
    const upload = files.get(String(args[field]).replace("attach://", ""));
    if (upload === undefined) throw new ApiFault(400, `Bad Request: there is no ${field} in the request`);
    if (field === "photo" && !isImage(upload.content)) throw new ApiFault(400, "Bad Request: IMAGE_PROCESS_FAILED");
    const parsed =
      caption === ""
        ? { text: "", entities: [] }
        : readWords(caption, given, MAX_CAPTION, "message caption is too long");
    const mimeType = field === "photo" ? "image/jpeg" : "application/octet-stream";
    return this.#keep(caption, parsed, given, [{ name: upload.filename, mimeType, content: upload.content }]);
  }

  #keep(raw: string, { text, entities }: ParsedText, given: PostArgs, files: readonly WorldFile[]): Kept {
    const { reply_parameters: reply, reply_markup: keyboard } = given;
    const answered = this.messages.find(({ chat, id }) => chat === given.chat_id && id === reply?.message_id);
    if (reply !== undefined && answered === undefined && reply.allow_sending_without_reply !== true)
      throw new ApiFault(400, "Bad Request: message to be replied not found");
    checkKeyboard(keyboard);
    const kept: Kept = {
      id: this.newMessageId(),
      chat: given.chat_id,
      byBot: true,
      raw,
      text,
      entities,
      keyboard: keyboard as InlineKeyboardMarkup | undefined,
      files,
      topic: given.message_thread_id,
      replyTo: answered?.id,
      silent: given.disable_notification === true,
      linkPreview: given.link_preview_options?.is_disabled !== true,
    };
    this.messages.push(kept);
    // A draft is gone as soon as the bot posts.
    for (let at = this.drafts.length - 1; at >= 0; at--)
      if (this.drafts[at]?.chat === kept.chat) this.drafts.splice(at, 1);
    return kept;
  }

  /** A message as the API gives it. */
  #shown({ id, chat, text, entities }: Kept): Message {
    const { type, title } = this.chats.get(chat) ?? { type: "private", title: "" };
    const where = type === "private" ? { id: chat, type, first_name: title } : { id: chat, type, title };
    return { message_id: id, date: 1_760_000_000, chat: where, from: BOT, text, entities } as Message;
  }

  #edit(args: Args, words: boolean): unknown {
    const given = postSchema.extend({ message_id: integer, text: z.string().default("") }).parse(args);
    this.#open(given.chat_id);
    const kept = this.messages.find(
      ({ chat, id, byBot }) => byBot && chat === given.chat_id && id === given.message_id,
    );
    if (kept === undefined) throw new ApiFault(400, "Bad Request: message to edit not found");
    checkKeyboard(given.reply_markup);
    const { text, entities } = words ? readWords(given.text, given, MAX_TEXT, "message is too long") : kept;
    const keyboard = given.reply_markup as InlineKeyboardMarkup | undefined;
    const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
    if (text === kept.text && same(entities, kept.entities) && same(keyboard, kept.keyboard))
      throw new ApiFault(
        400,
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
      );
    Object.assign(kept, { text, entities, keyboard, raw: words ? given.text : kept.raw });
    return this.#shown(kept);
  }

  #delete(args: Args): true {
    const { chat_id, message_id } = z.object({ chat_id: integer, message_id: integer }).parse(args);
    this.#open(chat_id);
    const at = this.messages.findIndex(({ chat, id }) => chat === chat_id && id === message_id);
    if (at === -1) throw new ApiFault(400, "Bad Request: message to delete not found");
    this.messages.splice(at, 1);
    return true;
  }

  #draft(args: Args): true {
    if (!this.knowsDrafts) throw new ApiFault(404, "Not Found: method not found");
    const given = postSchema.extend({ draft_id: integer, text: z.string().default("") }).parse(args);
    const chat = this.#open(given.chat_id);
    if (chat.type !== "private") throw new ApiFault(400, "Bad Request: TEXTDRAFT_PEER_INVALID");
    if (given.draft_id === 0) throw new ApiFault(400, "Bad Request: draft identifier must be non-zero");
    const { text } = readWords(given.text, given, MAX_TEXT, "message is too long");
    const at = this.drafts.findIndex(({ chat, id }) => chat === given.chat_id && id === given.draft_id);
    if (at === -1) this.drafts.push({ chat: given.chat_id, id: given.draft_id, text });
    else this.drafts[at] = { chat: given.chat_id, id: given.draft_id, text };
    return true;
  }

  #answerPress(args: Args): true {
    const {
      callback_query_id,
      text = "",
      show_alert,
    } = z.object({ callback_query_id: z.string(), text: z.string().max(200).optional(), show_alert: flag }).parse(args);
    const tell = this.presses.get(callback_query_id);
    if (tell === undefined)
      throw new ApiFault(400, "Bad Request: query is too old and response timeout expired or query ID is invalid");
    this.presses.delete(callback_query_id);
    tell({ text, alert: show_alert === true });
    return true;
  }

  #setMenu(args: Args): true {
    const { commands, scope } = z
      .object({
        commands: json(z.array(z.object({ command: z.string(), description: z.string().min(1).max(256) })).max(100)),
        scope: json(z.object({ type: z.string() })).default({ type: "default" }),
      })
      .parse(args);
    if (!commands.every(({ command }) => /^[a-z0-9_]{1,32}$/.test(command)))
      throw new ApiFault(400, "Bad Request: BOT_COMMAND_INVALID");
    this.menus.set(scope.type, commands);
    return true;
  }

  #getFile(args: Args): unknown {
    const { file_id } = z.object({ file_id: z.string() }).parse(args);
    const file = this.files.get(file_id);
    if (file === undefined) throw new ApiFault(400, "Bad Request: invalid file_id");
    if (file.content.length > MAX_DOWNLOAD) throw new ApiFault(400, "Bad Request: file is too big");
    return {
      file_id,
      file_unique_id: file_id.slice(-12),
      file_size: file.content.length,
      file_path: `documents/${file_id}`,
    };
  }
}

function readWords(words: string, given: PostArgs, limit: number, tooLong: string): ParsedText {
  const parsed =
    given.parse_mode === undefined
      ? { text: words, entities: (given.entities ?? []) as MessageEntity[] }
      : tryHtml(words);
  if (parsed.text.trim() === "") throw new ApiFault(400, "Bad Request: message text is empty");
  if (parsed.text.length > limit) throw new ApiFault(400, `Bad Request: ${tooLong}`);
  return parsed;
}

function tryHtml(words: string): ParsedText {
  try {
    return parseHtml(words);
  } catch (error) {
    if (error instanceof BadHtml) throw new ApiFault(400, `Bad Request: can't parse entities: ${error.message}`);
    throw error;
  }
}

function checkKeyboard(keyboard: PostArgs["reply_markup"]): void {
  for (const { callback_data } of keyboard?.inline_keyboard.flat() ?? [])
    if (Buffer.byteLength(callback_data) > 64 || callback_data === "")
      throw new ApiFault(400, "Bad Request: BUTTON_DATA_INVALID");
}

/** PNG or JPEG by their first bytes. */
function isImage(content: Buffer): boolean {
  return content.subarray(1, 4).toString("latin1") === "PNG" || (content[0] === 0xff && content[1] === 0xd8);
}

function throwFault(fault: Exclude<Fault, { kind: "reply-lost" }>, args: Args, faults: Fault[]): void {
  switch (fault.kind) {
    case "rate-limited":
      throw new ApiFault(429, `Too Many Requests: retry after ${fault.seconds}`, { retry_after: fault.seconds });
    case "failing":
      throw new ApiFault(fault.status, fault.status === 500 ? "Internal Server Error" : "Bad Gateway");
    case "unauthorized":
      throw new ApiFault(401, "Unauthorized");
    case "forbidden":
      throw new ApiFault(403, "Forbidden: bot was blocked by the user");
    case "markup-refused":
      if (args["parse_mode"] === undefined) faults.unshift(fault);
      else throw new ApiFault(400, `Bad Request: can't parse entities: Unsupported start tag "x" at byte offset 3`);
  }
}
