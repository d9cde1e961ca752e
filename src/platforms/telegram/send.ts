import type { InputFile } from "grammy";
import { REPEAT_MARK, type Button, type Part, type Posted, type SendContext } from "../contract.ts";
import type { OutboundMessage } from "../../kernel/messages.ts";
import { renderMarkdown } from "../render/render.ts";
import { telegramFlavour } from "../render/telegram.ts";
import { isPrivate, targetOf, type ChatMoves, type Target } from "./chats.ts";
import type { TelegramClient } from "./client.ts";
import { isBadMarkup, isUnfitPhoto, TelegramError } from "./errors.ts";
import { prepareFile, type ReadFile } from "./outgoing-file.ts";
import { plainText } from "./plain-text.ts";
import { OUTCOME_ROOM } from "./press.ts";

export interface SendParts {
  readonly client: TelegramClient;
  readonly moves: ChatMoves;
  readonly readFile: ReadFile;
}

const MARK = `<i>${REPEAT_MARK}</i>\n\n`;

/** A message in Telegram's HTML, with room left for what may have to be added: the mark of a repeat, an outcome. */
export function renderForTelegram({ text, approval, choices = [] }: OutboundMessage): readonly string[] {
  const buttons = approval !== undefined || choices.length > 0;
  const limit = telegramFlavour.limit - MARK.length - (buttons ? OUTCOME_ROOM : 0);
  return renderMarkdown(text, { ...telegramFlavour, limit });
}

/** Posts one part. Every repetition within it follows a plain refusal, after which nothing was posted. */
export async function sendPart(part: Part, context: SendContext, parts: SendParts): Promise<Posted> {
  const target = targetOf(part.conversationId);
  const chat = await parts.moves.addressOf(target.chat);
  const post = (to: number) =>
    part.file === undefined
      ? postText(part.text, part, { ...target, chat: to }, context, parts)
      : postFile(part.file, part, { ...target, chat: to }, context, parts);
  try {
    return { postedId: String(await post(chat)) };
  } catch (error) {
    if (!(error instanceof TelegramError) || error.movedTo === undefined) throw error;
    await parts.moves.moved(chat, error.movedTo);
    return { postedId: String(await post(error.movedTo)) };
  }
}

async function postText(
  html: string,
  part: Part,
  target: Target,
  context: SendContext,
  { client }: SendParts,
): Promise<number> {
  const marked = context.repeatSince === undefined ? html : `${MARK}${html}`;
  const send = (text: string, form: { parse_mode?: "HTML" }) =>
    client.call("take the message", context.signal, (api, signal) =>
      api.sendMessage(
        target.chat,
        text,
        { ...form, ...common(part, target), ...keyboard(part.buttons), link_preview_options: { is_disabled: true } },
        signal,
      ),
    );
  try {
    return (await send(marked, { parse_mode: "HTML" })).message_id;
  } catch (error) {
    if (!isBadMarkup(error)) throw error;
    return (await send(plainText(marked), {})).message_id;
  }
}

async function postFile(
  file: NonNullable<Part["file"]>,
  part: Part,
  target: Target,
  context: SendContext,
  parts: SendParts,
): Promise<number> {
  const prepared = await prepareFile(file, parts.readFile);
  if (prepared.kind === "told") return postText(prepared.html, part, target, context, parts);
  const caption = context.repeatSince === undefined ? {} : { caption: REPEAT_MARK };
  const options = { ...caption, ...common(part, target) };
  const upload = (as: "photo" | "document", content: InputFile) =>
    parts.client.upload<{ readonly message_id: number }>(`take the file ${file.name}`, context.signal, (api, signal) =>
      as === "photo"
        ? api.sendPhoto(target.chat, content, options, signal)
        : api.sendDocument(target.chat, content, options, signal),
    );
  try {
    return (await upload(prepared.as, prepared.content())).message_id;
  } catch (error) {
    if (prepared.as !== "photo" || !isUnfitPhoto(error)) throw error;
    return (await upload("document", prepared.content())).message_id;
  }
}

function common(part: Part, { chat, topic }: Target) {
  const answered = repliedTo(part, chat);
  return {
    ...(topic === undefined ? {} : { message_thread_id: topic }),
    ...(answered === undefined
      ? {}
      : { reply_parameters: { message_id: answered, allow_sending_without_reply: true } }),
  };
}

const MAX_MESSAGE_ID = 2 ** 31 - 1;

/** In a group the first part of an answer points to what it answers; a press or a schedule is no message there. */
function repliedTo({ id, answers }: Part, chat: number): number | undefined {
  const last = answers.at(-1);
  if (isPrivate(chat) || last === undefined || !id.endsWith(":0") || !/^\d{1,10}$/.test(last)) return undefined;
  return Number(last) <= MAX_MESSAGE_ID ? Number(last) : undefined;
}

const STYLES = { plain: {}, yes: { style: "success" }, no: { style: "danger" } } as const;

/** Approve and Deny stand side by side, the choices of a question below each other. */
function keyboard(buttons: readonly Button[]) {
  if (buttons.length === 0) return {};
  const keys = buttons.map(({ label, token, style }) => ({ text: label, callback_data: token, ...STYLES[style] }));
  const together = buttons.every(({ style }) => style !== "plain");
  return { reply_markup: { inline_keyboard: together ? [keys] : keys.map((key) => [key]) } };
}
