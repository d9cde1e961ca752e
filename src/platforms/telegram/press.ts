import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import type { Pressed } from "../listening.ts";
import type { ApiSignal, TelegramClient } from "./client.ts";
import { isGone, isLatePress, isUnchanged } from "./errors.ts";
import type { TelegramEvent } from "./read-update.ts";
import type { Api } from "grammy";

/** Tells the person who pressed, and puts the outcome in the place of the buttons. A hint: never rejects. */
export type AnswerPress = (event: Extract<TelegramEvent, { kind: "press" }>, told: Pressed) => Promise<void>;

/** What Telegram shows over the chat for a moment. */
const MAX_NOTICE = 200;
/** Longer notices stay until they are closed. */
const ALERT_FROM = 60;
const PATIENCE_MS = 10_000;
/** Room that a message with buttons leaves for the line which replaces them. */
export const OUTCOME_ROOM = 300;
const MAX_TEXT = 4_096;

export function createAnswerPress(client: TelegramClient, log: Log): AnswerPress {
  const hint = async (doing: string, use: (api: Api, signal: ApiSignal) => Promise<unknown>) => {
    try {
      await client.call(doing, AbortSignal.timeout(PATIENCE_MS), use);
    } catch (error) {
      if (isLatePress(error) || isUnchanged(error) || isGone(error)) return;
      log.warn({ error: describeError(error) }, "a press of a button could not be answered on Telegram");
    }
  };
  return async ({ callback, message }, { notice, outcome }) => {
    const text = notice.length > MAX_NOTICE ? `${notice.slice(0, MAX_NOTICE - 1)}…` : notice;
    await Promise.all([
      hint("answer the press of a button", (api, signal) =>
        api.answerCallbackQuery(callback, { text, show_alert: notice.length > ALERT_FROM }, signal),
      ),
      message === undefined || outcome === undefined
        ? undefined
        : hint("replace the buttons of a message", (api, signal) => replaceButtons(api, message, outcome, signal)),
    ]);
  };
}

/** Telegram gives the words and their marks with the press, so they are written again as they were. */
function replaceButtons(
  api: Api,
  { chat, message_id: id, text, entities }: NonNullable<Parameters<AnswerPress>[0]["message"]>,
  outcome: string,
  signal: ApiSignal,
): Promise<unknown> {
  const whole = text === undefined ? undefined : `${text}\n\n${outcome}`;
  // Too old to be given with the press, a file, or full: then only the buttons go, and the notice tells.
  if (whole === undefined || whole.length > MAX_TEXT) return api.editMessageReplyMarkup(chat.id, id, {}, signal);
  const marks = (entities ?? []) as NonNullable<Parameters<Api["editMessageText"]>[3]>["entities"];
  return api.editMessageText(
    chat.id,
    id,
    whole,
    { ...(marks === undefined ? {} : { entities: marks }), link_preview_options: { is_disabled: true } },
    signal,
  );
}
