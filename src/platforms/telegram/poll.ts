import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { ListenContext } from "../listening.ts";
import { planBatch } from "./albums.ts";
import type { TelegramClient } from "./client.ts";
import { ingest, ingestAlbum, readEvent, type IngestParts } from "./ingest.ts";
import type { BotAccount } from "./message-text.ts";
import type { Wait } from "./options.ts";
import { parseUpdates } from "./parse-updates.ts";
import { chatOf } from "./read-update.ts";
import { ALLOWED_UPDATES, type TelegramUpdate } from "./update-schema.ts";

export interface PollParts extends Omit<IngestParts, "gateway"> {
  readonly client: TelegramClient;
  readonly bot: BotAccount;
  readonly wait: Wait;
}

/** Telegram's own limit of one reply. */
const LIMIT = 100;
/** The parts of an album arrive within a fraction of this. */
const ALBUM_QUIET_MS = 700;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/**
 * Polls for updates until the signal aborts. An update is confirmed, by asking for the ones behind it, only after it
 * was kept; until then Telegram gives it again, to this process or to the next one. Trouble is told and waited out for
 * as long as it takes; only a token that Telegram refuses ends it.
 */
export async function pollUpdates(context: ListenContext, parts: PollParts): Promise<void> {
  const { signal } = context;
  let from: Position = { offset: undefined, quiet: undefined, sure: false };
  let failures = 0;
  while (!signal.aborted) {
    try {
      from = await pollOnce(from, context, parts);
      failures = 0;
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof OutsideError && error.code === "unauthorized") throw error;
      failures += 1;
      from = { ...from, sure: false };
      context.report({ connected: false, trouble: describeError(error) });
      parts.log.warn({ error: describeError(error), failures }, "Telegram's updates could not be fetched");
      await removeForeignWebhook(error, context, parts);
      await parts.wait(waitMs(error, failures), signal);
    }
  }
  await confirmLast(from, parts);
}

interface Position {
  /** The first update that is not confirmed yet. */
  readonly offset: number | undefined;
  /** The album that was waited for last. */
  readonly quiet: string | undefined;
  /** The last poll was answered. Otherwise the next one is answered at once, so that health is known soon. */
  readonly sure: boolean;
}

async function pollOnce(from: Position, context: ListenContext, parts: PollParts): Promise<Position> {
  const { signal } = context;
  const raw = await parts.client.poll(signal, (api, seconds, given) =>
    api.getUpdates(
      {
        ...(from.offset === undefined ? {} : { offset: from.offset }),
        timeout: from.sure && from.quiet === undefined ? seconds : 0,
        limit: LIMIT,
        allowed_updates: ALLOWED_UPDATES,
      },
      given,
    ),
  );
  context.report({ connected: true });
  if (raw.length > 0) context.heard();
  const { updates, last } = parseUpdates(raw, parts.log);
  const { units, held } = planBatch(updates, { quiet: from.quiet, full: raw.length === LIMIT });
  const kept = new Set<number>();
  const answers: Promise<void>[] = [];
  await Promise.all(
    byChat(units).map(async (ofChat) => {
      for (const unit of ofChat) {
        if (!(await keepUnit(unit, answers, context, parts))) return;
        for (const { update_id: id } of unit) kept.add(id);
      }
    }),
  );
  await Promise.all(answers);
  const open = updates.find(({ update_id: id }) => !kept.has(id));
  const behind = last === undefined ? from.offset : last + 1;
  if (held !== undefined) await parts.wait(ALBUM_QUIET_MS, signal);
  return { offset: open === undefined ? behind : open.update_id, quiet: held, sure: true };
}

/** What comes from one chat stays in its order; chats do not wait for each other. */
function byChat(units: readonly (readonly TelegramUpdate[])[]): readonly (readonly (readonly TelegramUpdate[])[])[] {
  const chats = new Map<number | undefined, (readonly TelegramUpdate[])[]>();
  for (const unit of units) {
    const chat = unit[0] === undefined ? undefined : chatOf(unit[0]);
    chats.set(chat, [...(chats.get(chat) ?? []), unit]);
  }
  return [...chats.values()];
}

/** Tries until the unit is kept: nothing behind it may overtake it. False when the signal ended that. */
async function keepUnit(
  unit: readonly TelegramUpdate[],
  answers: Promise<void>[],
  context: ListenContext,
  parts: PollParts,
): Promise<boolean> {
  const { gateway, signal } = context;
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      const { after } = await ingestUnit(unit, { ...parts, gateway });
      if (after !== undefined) answers.push(after);
      if (failures > 1) context.report({ connected: true });
      return true;
    } catch (error) {
      const trouble = `What Telegram brings cannot be kept (${describeError(error)}); it is tried again until it is.`;
      context.report({ connected: true, trouble });
      parts.log.error({ error: describeError(error), failures, update: unit[0]?.update_id }, trouble);
      await parts.wait(waitMs(error, failures), signal);
    }
  }
  return false;
}

async function ingestUnit(
  unit: readonly TelegramUpdate[],
  parts: PollParts & IngestParts,
): Promise<{ readonly after?: Promise<void> }> {
  const events = await Promise.all(unit.map((update) => readEvent(update, parts.bot, parts)));
  const [first] = events;
  if (first === undefined) return {};
  if (first.kind !== "message") return ingest(first, parts);
  const messages = events.flatMap((event) => (event.kind === "message" ? [event.message] : []));
  await ingestAlbum(messages, first.album, parts);
  return {};
}

/** A webhook that was set elsewhere keeps updates from being polled; those that wait stay. */
async function removeForeignWebhook(error: unknown, { signal }: ListenContext, { client, log }: PollParts) {
  if (!(error instanceof Error) || !/webhook is active/i.test(error.message)) return;
  try {
    await client.call("remove a webhook", signal, (api, given) =>
      api.deleteWebhook({ drop_pending_updates: false }, given),
    );
  } catch (failure) {
    log.warn({ error: describeError(failure) }, "a webhook could not be removed");
  }
}

/** Saves the next listener from getting the last updates once more; they would be recognised. */
async function confirmLast({ offset }: Position, { client, log }: PollParts): Promise<void> {
  if (offset === undefined) return;
  try {
    await client.call("confirm updates", AbortSignal.timeout(2_000), (api, given) =>
      api.getUpdates({ offset, limit: 1, timeout: 0, allowed_updates: ALLOWED_UPDATES }, given),
    );
  } catch (error) {
    log.debug({ error: describeError(error) }, "the last updates could not be confirmed; they are recognised again");
  }
}

function waitMs(error: unknown, failures: number): number {
  const asked = error instanceof OutsideError && error.retry.kind === "after" ? (error.retry.ms ?? 0) : 0;
  return Math.max(asked, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20)));
}
