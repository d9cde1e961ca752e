import { setTimeout as sleep } from "node:timers/promises";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { PlatformAdapter } from "../contract.ts";
import type { ListenContext, Listener } from "../listening.ts";
import type { AdapterParts } from "../parts.ts";
import { createChatMoves, type ChatMoves } from "./chats.ts";
import { createTelegramClient, type TelegramClient } from "./client.ts";
import { fetchTelegramFile } from "./fetch-file.ts";
import { createHeldAlbums, type HeldAlbums } from "./held-albums.ts";
import { MENU } from "./command-list.ts";
import { showMenu } from "./menu.ts";
import type { BotAccount } from "./message-text.ts";
import type { TelegramOptions, Wait } from "./options.ts";
import { pollUpdates } from "./poll.ts";
import { createPresence } from "./presence.ts";
import { createAnswerPress } from "./press.ts";
import { renderForTelegram, sendPart } from "./send.ts";
import { lookAfterWebhook } from "./upkeep.ts";
import { createWebhook } from "./webhook.ts";

/**
 * Telegram. Updates are polled by the one process that holds the lease or, with `webhook`, brought by Telegram to any
 * process; then the process with the lease only looks after the webhook.
 */
export function createTelegramAdapter(options: TelegramOptions, parts: AdapterParts): PlatformAdapter {
  const client = createTelegramClient(options);
  const moves = createChatMoves(parts.notes);
  const wait = options.wait ?? pause;
  const closing = new AbortController();
  return {
    name: "telegram",
    sendSafety: "none",
    abilities: {
      edit: true,
      typing: true,
      stream: true,
      threads: false,
      buttons: true,
      files: true,
      reactions: false,
      ephemeral: false,
      history: false,
    },
    render: renderForTelegram,
    send: (part, context) => sendPart(part, context, { client, moves, readFile: (file) => parts.readFile(file) }),
    presence: createPresence({ client, moves, clock: parts.clock, wait }),
    listener: createListener(options, parts, { client, moves, wait, closing: closing.signal }),
    fetchFile: (ref, limits) => fetchTelegramFile(client, ref, limits),
    close() {
      closing.abort();
      client.close();
      return Promise.resolve();
    },
  };
}

interface Shared {
  readonly client: TelegramClient;
  readonly moves: ChatMoves;
  readonly wait: Wait;
  /** Aborts when the adapter is closed. */
  readonly closing: AbortSignal;
}

function createListener(options: TelegramOptions, parts: AdapterParts, shared: Shared): Listener {
  const { client, wait, closing } = shared;
  const { notes, clock, log } = parts;
  const bot = rememberBot(client);
  const common = { ...shared, notes, clock, log, answer: createAnswerPress(client, log) };
  const begin = async ({ signal }: ListenContext): Promise<BotAccount> => {
    const account = await bot(signal);
    await showMenu(MENU, { client, notes, signal }).catch((error: unknown) => {
      log.warn({ error: describeError(error) }, "Telegram's menu of commands could not be set");
    });
    return account;
  };

  const { webhook } = options;
  if (webhook === undefined) {
    return {
      exclusive: true,
      listen: (context) =>
        untilAborted(context.signal, async () => {
          const account = await begin(context);
          await client.call("switch to polling", context.signal, (api, signal) =>
            api.deleteWebhook({ drop_pending_updates: false }, signal),
          );
          await pollUpdates(context, { ...common, bot: account });
        }),
    };
  }

  if (webhook.secret === "")
    throw new OutsideError("A webhook needs a secret: set TELEGRAM_WEBHOOK_SECRET", { code: "bad-request" });
  const albumsOf = (gateway: ListenContext["gateway"]): HeldAlbums =>
    createHeldAlbums(gateway, { notes, clock, log, wait, closing });
  return {
    exclusive: true,
    listen: (context) =>
      untilAborted(context.signal, async () => {
        await begin(context);
        await lookAfterWebhook(context, { client, webhook, albums: albumsOf(context.gateway), wait, clock, log });
      }),
    webhooks(context) {
      const { gateway } = context;
      return [
        createWebhook(context, {
          ...common,
          gateway,
          secret: webhook.secret,
          bot: () => bot(AbortSignal.timeout(BOT_PATIENCE_MS)),
          albums: albumsOf(gateway),
        }),
      ];
    },
  };
}

/** A call that fails because it was told to end is the end, not a failure. */
async function untilAborted(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const BOT_PATIENCE_MS = 10_000;

/** The bot's own account does not change while its token is good. */
function rememberBot(client: TelegramClient): (signal: AbortSignal) => Promise<BotAccount> {
  let known: BotAccount | undefined;
  return async (signal) => {
    known ??= await client.call("say who this bot is", signal, async (api, given) => {
      const { id, username } = await api.getMe(given);
      return { id, username };
    });
    return known;
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
