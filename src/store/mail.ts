import type { MessageId, RunId } from "../kernel/ids.ts";

/**
 * How a waiting message is taken: each in a run of its own, together with its neighbours of the same mode, or into the
 * run that is already going.
 */
export type InboxMode = "alone" | "together" | "steer";

const MODE_LETTER: Record<InboxMode, string> = { alone: "-", together: "c", steer: "s" };

/** A message on its way into a lane. */
export interface Mail {
  /** Without white space; unique in the lane. */
  readonly id: MessageId;
  readonly mode: InboxMode;
  /** JSON on one line, never looked into on the way. An object need not hold the `id` again: {@link contentOf} adds it. */
  readonly body: string;
}

/** A message as mail. Its id stands in front of the body and not in it again. */
export function toMail<T extends { readonly id: string }>(message: T, mode: InboxMode = "alone"): Mail {
  const { id, ...content } = message;
  return { id: id as MessageId, mode, body: JSON.stringify(content) };
}

/** What a line of a journal says of a message: `>` when it opened the run, `+` when it joined one. */
export interface MailLine {
  readonly kind: "opened" | "joined";
  readonly runId: RunId;
  readonly mail: Mail;
}

/**
 * An inbox entry, which is the line that the message becomes in the journal: `>`, mode letter, id, run, body, so that
 * Redis moves it there without writing it again. The run it opens has the id `run`, or the message's own when that is "".
 */
export function mailEntry({ id, mode, body }: Mail, run: RunId | ""): string {
  if (/\s/.test(id)) throw new Error(`The message id "${id}" holds white space`);
  return `>${MODE_LETTER[mode]}${id} ${run} ${body}`;
}

const MAIL_LINE = /^([>+])([-cs])([^ ]*) ([^ ]*) /;

/** Reads what {@link mailEntry} wrote, in an inbox or a journal; undefined when it is something else. */
export function parseMailLine(line: string): MailLine | undefined {
  const match = MAIL_LINE.exec(line);
  if (match === null) return undefined;
  const [head, sign, letter, id = "", run = ""] = match;
  return {
    kind: sign === ">" ? "opened" : "joined",
    runId: (run === "" ? id : run) as RunId,
    mail: {
      id: id as MessageId,
      mode: letter === "c" ? "together" : letter === "s" ? "steer" : "alone",
      body: line.slice(head.length),
    },
  };
}

/** The same line with another body, which is an object without the message's id. */
export function withBody(line: string, content: object): string {
  return `${MAIL_LINE.exec(line)?.[0] ?? ""}${JSON.stringify(content)}`;
}

/** The content of a mail's body, with the mail's id in it when it is an object. Throws when it is not JSON. */
export function contentOf({ id, body }: Pick<Mail, "id" | "body">): unknown {
  const content: unknown = JSON.parse(body);
  return typeof content === "object" && content !== null && !Array.isArray(content) ? { id, ...content } : content;
}
