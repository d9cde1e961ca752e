import type { PlatformNotes } from "../notes.ts";
import type { Said, Self } from "./events.ts";
import type { Spot } from "./ids.ts";

const DAY_MS = 86_400_000;

const key = (channel: string, thread: string) => `asker:${channel}:${thread}`;

/** Notes who spoke to the bot in a channel's thread: a preview there is shown to a person, not to a channel. */
export async function noteAsker(notes: PlatformNotes, said: Said, thread: string, { team }: Self): Promise<void> {
  if (team !== undefined) await notes.write(key(said.channel, thread), `${said.user} ${team}`, DAY_MS);
}

/** Who a preview in a channel's thread is for, as Slack wants to be told; undefined when nobody is known. */
export async function findAsker(
  notes: PlatformNotes,
  { channel, thread }: Spot,
): Promise<{ readonly recipient_user_id: string; readonly recipient_team_id: string } | undefined> {
  const [user, team] = (thread === undefined ? undefined : await notes.read(key(channel, thread)))?.split(" ") ?? [];
  return user === undefined || team === undefined ? undefined : { recipient_user_id: user, recipient_team_id: team };
}
