import { createHash, timingSafeEqual } from "node:crypto";
import { describeError } from "../../kernel/errors.ts";
import type { ListenContext, Webhook } from "../listening.ts";
import type { HeldAlbums } from "./held-albums.ts";
import { ingest, readEvent, type IngestParts } from "./ingest.ts";
import type { BotAccount } from "./message-text.ts";
import { parseUpdates } from "./parse-updates.ts";

export interface WebhookParts extends IngestParts {
  readonly secret: string;
  /** The bot's own account, asked for once. */
  readonly bot: () => Promise<BotAccount>;
  readonly albums: HeldAlbums;
}

const WEBHOOK_PATH = "/telegram/webhook";
const SECRET_HEADER = "x-telegram-bot-api-secret-token";
/** Updates are small; more than this is not Telegram. */
const MAX_BYTES = 1_000_000;

/**
 * What Telegram calls with one update each. It answers 200 when the update is kept, and 503 when it could not be: then
 * Telegram brings it again, and holds back what else comes from that chat.
 */
export function createWebhook(context: Pick<ListenContext, "heard" | "report">, parts: WebhookParts): Webhook {
  let troubled = false;
  return {
    path: WEBHOOK_PATH,
    async handle(request) {
      if (!sameSecret(request.headers.get(SECRET_HEADER), parts.secret))
        return new Response("the secret is missing or wrong", { status: 401 });
      const body = await readJson(request);
      if (body === undefined) return new Response("this is no update", { status: 400 });
      context.heard();
      try {
        await take(body, parts);
        if (troubled) context.report({ connected: true });
        troubled = false;
        return new Response("ok");
      } catch (error) {
        const trouble = `What Telegram brings cannot be kept (${describeError(error)}); Telegram brings it again.`;
        context.report({ connected: true, trouble });
        troubled = true;
        parts.log.error({ error: describeError(error) }, trouble);
        return new Response("try again", { status: 503, headers: { "retry-after": "1" } });
      }
    },
  };
}

async function take(body: unknown, parts: WebhookParts): Promise<void> {
  const [update] = parseUpdates([body], parts.log).updates;
  if (update === undefined) return; // said in the log; to refuse it would bring it again for ever
  const event = await readEvent(update, await parts.bot(), parts);
  if (event.kind === "message" && event.album !== undefined) return parts.albums.hold(event.message, event.album);
  const { after } = await ingest(event, parts);
  await after;
}

/** Compares without telling by its duration how much was right. */
function sameSecret(given: string | null, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return given !== null && secret !== "" && timingSafeEqual(digest(given), digest(secret));
}

async function readJson(request: Request): Promise<unknown> {
  if (request.method !== "POST" || request.body === null) return undefined;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > MAX_BYTES) return undefined;
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
