/** When a mention in a channel begins a thread of its own: while the channel is being answered, always, or never. */
export type ThreadRule = "busy" | "always" | "never";

/** Which Discord, and as whom. */
export interface DiscordAccount {
  readonly token: string;
  /** Another address of the API, without the version. */
  readonly apiUrl?: string | undefined;
}

export interface DiscordOptions extends DiscordAccount {
  readonly threads: ThreadRule;
  /** Fetches files from Discord's file server. */
  readonly fetch: typeof globalThis.fetch;
}
