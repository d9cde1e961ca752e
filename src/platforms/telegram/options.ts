/** One entry of the menu of commands that Telegram shows. */
export interface MenuCommand {
  /** Without the slash: `status`. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly text: string;
  /** Shown in groups too. */
  readonly groups: boolean;
}

/** How the bot reaches Telegram. */
export interface TelegramOptions {
  readonly token: string;
  /** Another address of the Bot API, for instance a server of one's own. */
  readonly apiUrl?: string | undefined;
  /** With it Telegram calls us; without it updates are polled. */
  readonly webhook?: { readonly url: string; readonly secret: string } | undefined;
  readonly commands?: readonly MenuCommand[];
  /** Waits, or ends early when the signal aborts; for tests. */
  readonly wait?: Wait;
}

/** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const TELEGRAM_API = "https://api.telegram.org";
