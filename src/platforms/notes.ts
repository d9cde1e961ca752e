/**
 * What an adapter has to remember over restarts and between processes: where it read up to, which chat moved where.
 * Every note ends by itself, 30 days after it was last written unless told otherwise.
 */
export interface PlatformNotes {
  read(key: string): Promise<string | undefined>;
  write(key: string, value: string, ttlMs?: number): Promise<void>;
  /** Writes unless there is one; gives what stands there then. All processes get the same. */
  keep(key: string, value: string, ttlMs?: number): Promise<string>;
  /** Notes how far a channel was read; `at` is the time of that message, milliseconds since 1970. */
  reach(channel: string, cursor: string, at: number): Promise<void>;
  /** How far every channel was read, the latest first; at most 1,000 channels. */
  reached(): Promise<readonly { readonly channel: string; readonly cursor: string; readonly at: number }[]>;
}
