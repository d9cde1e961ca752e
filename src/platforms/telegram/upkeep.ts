import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { ListenContext } from "../listening.ts";
import type { TelegramClient } from "./client.ts";
import type { HeldAlbums } from "./held-albums.ts";
import type { Wait } from "./options.ts";
import { ALLOWED_UPDATES } from "./update-schema.ts";
import type { Clock, Log } from "../../kernel/ports.ts";

export interface UpkeepParts {
  readonly client: TelegramClient;
  readonly webhook: { readonly url: string; readonly secret: string };
  readonly albums: HeldAlbums;
  readonly wait: Wait;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_EVERY_MS = 60_000;
const ALBUMS_EVERY_MS = 2_000;

/**
 * Looks after the webhook until the signal aborts: registers it at Telegram, again should somebody else have changed
 * it, tells the operator when Telegram cannot reach it, and keeps albums whose process died. One process does this.
 */
export async function lookAfterWebhook(context: ListenContext, parts: UpkeepParts): Promise<void> {
  const { signal, gateway } = context;
  await register(parts, signal);
  context.report({ connected: true });
  let looked = parts.clock.monotonic();
  while (!signal.aborted) {
    await parts.wait(ALBUMS_EVERY_MS, signal);
    if (signal.aborted) return;
    await attempt("albums could not be kept", parts.log, () => parts.albums.release(gateway));
    if (parts.clock.monotonic() - looked < LOOK_EVERY_MS) continue;
    looked = parts.clock.monotonic();
    await attempt("the webhook could not be looked after", parts.log, async () =>
      context.report(await checkWebhook(parts, signal)),
    );
  }
}

function register({ client, webhook }: UpkeepParts, signal: AbortSignal): Promise<unknown> {
  return client.call("register the webhook", signal, (api, given) =>
    api.setWebhook(
      webhook.url,
      { secret_token: webhook.secret, allowed_updates: ALLOWED_UPDATES, drop_pending_updates: false },
      given,
    ),
  );
}

async function checkWebhook(parts: UpkeepParts, signal: AbortSignal): Promise<Parameters<ListenContext["report"]>[0]> {
  const info = await parts.client.call("describe the webhook", signal, (api, given) => api.getWebhookInfo(given));
  if (info.url !== parts.webhook.url) {
    await register(parts, signal);
    const trouble =
      "Another program had changed this bot's webhook; it is set to Parley again. If this comes back, find that program or take a new token from @BotFather (/revoke).";
    parts.log.warn({}, trouble);
    return { connected: true, trouble };
  }
  const { pending_update_count: pending, last_error_message: error } = info;
  if (pending === 0 || error === undefined) return { connected: true };
  return {
    connected: false,
    trouble: `Telegram cannot deliver to ${parts.webhook.url}: ${error}. ${pending} updates wait. Check that the address leads to this server from the internet, with a valid certificate, on port 443, 80, 88 or 8443.`,
  };
}

async function attempt(what: string, log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof OutsideError && error.code === "unauthorized") throw error;
    log.warn({ error: describeError(error) }, what);
  }
}
