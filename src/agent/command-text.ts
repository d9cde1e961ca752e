/** A message that is a command: `/name rest`. */
export interface CommandText {
  readonly name: string;
  readonly rest: string;
}

/** Reads a command; undefined for anything that only looks like one, such as a path. */
export function parseCommand(text: string): CommandText | undefined {
  const match = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  return { name: match[1].toLowerCase(), rest: match[2]?.trim() ?? "" };
}

/** Commands that change the conversation's history wait their turn among its messages; all others work at once. */
const IN_TURN = new Set(["new", "reset"]);

function isInTurn({ name, rest }: CommandText): boolean {
  return IN_TURN.has(name) || (name === "privacy" && rest.toLowerCase() === "forget");
}

/** Where a message goes: into the conversation, or, for a command that must work during a run, beside it. */
export function isControl(text: string): boolean {
  const command = parseCommand(text);
  return command !== undefined && !isInTurn(command);
}

/** True for a command that may start the conversation's history anew. */
export function clearsHistory(text: string): boolean {
  const command = parseCommand(text);
  return command !== undefined && isInTurn(command);
}
