/** What became of a message: its new text as Slack writes it, or nothing. */
export type Change = { readonly raw: string } | "deleted";

/** Edits and deletions that may come before their message does: Slack brings again what was not acknowledged. */
export interface LateChanges {
  note(channel: string, ts: string, change: Change): void;
  of(channel: string, ts: string): Change | undefined;
}

const MOST = 2_000;

/** Creates the memory of the latest changes. */
export function createLateChanges(): LateChanges {
  const changes = new Map<string, Change>();
  return {
    note: (channel, ts, change) => {
      const key = `${channel}:${ts}`;
      changes.delete(key);
      changes.set(key, change);
      const oldest = changes.keys().next().value;
      if (changes.size > MOST && oldest !== undefined) changes.delete(oldest);
    },
    of: (channel, ts) => changes.get(`${channel}:${ts}`),
  };
}
