import { createHash } from "node:crypto";
import type { ConversationId } from "../../kernel/ids.ts";
import type { Clock } from "../../kernel/ports.ts";
import type { Presence } from "../contract.ts";
import { renderMarkdown } from "../render/render.ts";
import { telegramFlavour } from "../render/telegram.ts";
import { isPrivate, targetOf, type ChatMoves, type Target } from "./chats.ts";
import type { TelegramClient } from "./client.ts";
import { isGone, isUnchanged, TelegramError } from "./errors.ts";
import type { Wait } from "./options.ts";

export interface PresenceParts {
  readonly client: TelegramClient;
  readonly moves: ChatMoves;
  readonly clock: Clock;
  readonly wait: Wait;
}

/** Telegram shows it for five seconds. */
const TYPING_EVERY_MS = 4_500;
const PREVIEW_EVERY_MS = 1_200;
/** Groups take 20 messages a minute, edits included. */
const EDIT_EVERY_MS = { direct: 1_000, group: 3_500 };
const REMEMBERED = 1_000;

/** Shows on Telegram that a run is going. What Telegram asks to wait for is left out: these are hints. */
export function createPresence({ client, moves, clock, wait }: PresenceParts): Presence {
  const editedAt = new Map<string, number>();
  const undraftable = new Set<number>();
  let drafts = true;

  const resolve = async (conversation: ConversationId): Promise<Target> => {
    const target = targetOf(conversation);
    return { ...target, chat: await moves.addressOf(target.chat) };
  };
  /** One edit after the other, as far apart as Telegram takes them. */
  const takeTurn = async (conversation: string, chat: number, signal: AbortSignal): Promise<void> => {
    const apart = isPrivate(chat) ? EDIT_EVERY_MS.direct : EDIT_EVERY_MS.group;
    const next = (editedAt.get(conversation) ?? -Infinity) + apart;
    const left = next - clock.monotonic();
    if (editedAt.size >= REMEMBERED) editedAt.clear();
    editedAt.set(conversation, Math.max(next, clock.monotonic()));
    if (left > 0) await wait(left, signal);
  };

  return {
    typingEveryMs: TYPING_EVERY_MS,
    async typing(conversation, signal) {
      const target = await resolve(conversation);
      await client.call("show that the bot types", signal, (api, given) =>
        api.sendChatAction(target.chat, "typing", inTopic(target), given),
      );
    },
    async progress(conversation, line, previous, signal) {
      const target = await resolve(conversation);
      if (previous !== undefined) {
        await takeTurn(conversation, target.chat, signal);
        if (signal.aborted || (await editLine(client, target, line, previous, signal))) return previous;
      }
      editedAt.set(conversation, clock.monotonic());
      const posted = await client.call("show a line about what is being done", signal, (api, given) =>
        api.sendMessage(
          target.chat,
          line,
          { ...inTopic(target), disable_notification: true, link_preview_options: { is_disabled: true } },
          given,
        ),
      );
      return String(posted.message_id);
    },
    async clearProgress(conversation, previous, signal) {
      editedAt.delete(conversation);
      if (previous === undefined) return;
      const target = await resolve(conversation);
      try {
        await client.call("remove the line about what is being done", signal, (api, given) =>
          api.deleteMessage(target.chat, Number(previous), given),
        );
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
    previewEveryMs: PREVIEW_EVERY_MS,
    async preview(conversation, { text, step }, signal) {
      const target = await resolve(conversation);
      // Telegram animates drafts in private chats only; they are no messages, and vanish when the answer is posted.
      if (!drafts || !isPrivate(target.chat) || undraftable.has(target.chat) || text.trim() === "") return undefined;
      try {
        await client.call("show the answer so far", signal, (api, given) =>
          api.sendMessageDraft(
            target.chat,
            draftId(conversation, step),
            renderMarkdown(text, telegramFlavour).at(-1) ?? text,
            { ...inTopic(target), parse_mode: "HTML" },
            given,
          ),
        );
      } catch (error) {
        if (!(error instanceof TelegramError)) throw error;
        // An older server of one's own does not know drafts at all.
        if (/method not found/i.test(error.description)) drafts = false;
        else if (error.code === "bad-request" || error.code === "forbidden") {
          if (undraftable.size >= REMEMBERED) undraftable.clear();
          undraftable.add(target.chat);
        } else if (error.code !== "rate-limited") throw error;
      }
      return undefined;
    },
  };
}

const inTopic = ({ topic }: Target) => (topic === undefined ? {} : { message_thread_id: topic });

/** False when the line is gone and a new one is needed. */
async function editLine(
  client: TelegramClient,
  { chat }: Target,
  line: string,
  previous: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await client.call("change the line about what is being done", signal, (api, given) =>
      api.editMessageText(chat, Number(previous), line, { link_preview_options: { is_disabled: true } }, given),
    );
    return true;
  } catch (error) {
    if (isUnchanged(error)) return true;
    if (error instanceof TelegramError && error.code === "rate-limited") return true;
    if (isGone(error)) return false;
    throw error;
  }
}

/** The same for every preview of one step, never zero. */
function draftId(conversation: string, step: string): number {
  const digest = createHash("sha256").update(`${conversation} ${step}`).digest();
  return (digest.readUInt32BE(0) & 0x7f_ff_ff_ff) + 1;
}
