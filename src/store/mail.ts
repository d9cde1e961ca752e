import type { MessageId } from "../kernel/ids.ts";

/**
 * How a waiting message is taken: each in a run of its own, together with its neighbours of the same mode, or into the
 * run that is already going.
 */
export type InboxMode = "alone" | "together" | "steer";

const MODE_LETTER: Record<InboxMode, string> = { alone: "-", together: "c", steer: "s" };

/** An entry of a lane's inbox; `body` is JSON and never read here. */
export interface Mail {
  readonly id: MessageId;
  readonly mode: InboxMode;
  readonly body: string;
}

/** An inbox entry: mode letter, id, line break, body. The id in front is found without parsing. */
export function mailEntry(mail: Mail): string {
  return `${MODE_LETTER[mail.mode]}${mail.id}\n${mail.body}`;
}

/** Reads what {@link mailEntry} wrote. */
export function parseMailEntry(entry: string): Mail {
  const lineBreak = entry.indexOf("\n");
  const letter = entry[0];
  return {
    id: entry.slice(1, lineBreak) as MessageId,
    mode: letter === "c" ? "together" : letter === "s" ? "steer" : "alone",
    body: entry.slice(lineBreak + 1),
  };
}
