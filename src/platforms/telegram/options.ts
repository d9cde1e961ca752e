/** How the bot reaches Telegram. */
export interface TelegramOptions {
  readonly token: string;
  /** Another address of the Bot API, for instance a server of one's own. */
  readonly apiUrl?: string | undefined;
  /** With it Telegram calls us; without it updates are polled. */
  readonly webhook?: { readonly url: string; readonly secret: string } | undefined;
  /** Waits, or ends early when the signal aborts; for tests. */
  readonly wait?: Wait;
}

/** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const TELEGRAM_API = "https://api.telegram.org";
