/** What is needed to read a text as its author sees it. */
export interface Reading {
  /** The bot's own user id: its mention is left out. */
  readonly self: string;
  readonly nameOf: (user: string) => string | undefined;
}

/** A message's text as people read it: mentions by name, links with their address, no escapes, no mention of the bot. */
export function readText(raw: string, reading: Reading): string {
  return raw
    .replaceAll(/<([^\s<>][^<>]*)>/g, (_, inner: string) => readEntity(inner, reading))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .replaceAll(LEFT_OUT, "")
    .trim();
}

/** The users that a text mentions, the bot included. */
export function mentioned(raw: string): readonly string[] {
  return [...raw.matchAll(/<@([A-Z0-9]+)(?:\|[^<>]*)?>/g)].map(([, user = ""]) => user);
}

/** Words that are commands when a mention of the bot is followed by nothing else. */
const SPOKEN_COMMANDS: ReadonlySet<string> = new Set(["stop", "help", "status", "new"]);

/**
 * The text, or the command it means: Slack has no slash commands in threads, so a mention of the bot with a few words and
 * nothing else is one. (`!stop` is read as a command for every platform, where it is known which there are.)
 */
export function readCommand(text: string, mention: boolean): string {
  const word = text.toLowerCase();
  return mention && SPOKEN_COMMANDS.has(word) ? `/${word}` : text;
}

/** What follows `/parley`, as a command: `stop` and `/stop` are the same, nothing asks for help. */
export function readSlashCommand(text: string): string {
  const words = text.trim().replace(/^[/!]/, "");
  return `/${words === "" ? "help" : words}`;
}

// Stands for the mention of the bot until the space around it is known; no text from outside holds it.
const OUT = "\u0000";
const LEFT_OUT = new RegExp(`^${OUT}[,:;]?|\\s?${OUT}`, "g");

function readEntity(inner: string, { self, nameOf }: Reading): string {
  const bar = inner.indexOf("|");
  const target = bar === -1 ? inner : inner.slice(0, bar);
  const label = bar === -1 ? undefined : inner.slice(bar + 1);
  const rest = target.slice(1);
  switch (target[0]) {
    case "@":
      return rest === self ? OUT : `@${nameOf(rest) ?? label ?? rest}`;
    case "#":
      return `#${label === undefined || label === "" ? rest : label}`;
    case "!":
      return label ?? `@${rest.split("^")[0]}`;
    default: {
      const address = target.replace(/^(mailto|tel):/, "");
      const same = label === undefined || label === address || `http://${label}` === target || label === target;
      return same ? address : `${label} (${address})`;
    }
  }
}
