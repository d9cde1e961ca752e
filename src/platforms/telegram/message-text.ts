import type { TelegramEntity, TelegramMessage } from "./update-schema.ts";

/** The bot's own account. */
export interface BotAccount {
  readonly id: number;
  readonly username: string;
}

/** What somebody wrote, as the loop reads it. */
export interface ReadText {
  /** Without the bot's name; a command is `/name …`. */
  readonly text: string;
  readonly mentioned: boolean;
  /** A command: for this bot, or for another one of the group. */
  readonly command: "ours" | "other" | undefined;
}

/** Reads the words of a message. Entities count in UTF-16 units, as strings do. */
export function readText(message: TelegramMessage, bot: BotAccount): ReadText {
  const words = message.text ?? message.caption ?? "";
  const entities = (message.text === undefined ? message.caption_entities : message.entities) ?? [];
  const cuts = entities.filter((entity) => isMentionOf(bot, entity, words));
  const mentioned = cuts.length > 0;
  const rest = withoutMentions(words, cuts);
  // What somebody else wrote and this person passes on is not a command of theirs.
  if (message.forward_origin !== undefined) return { text: rest, mentioned, command: undefined };
  return { mentioned, ...readCommand(rest, bot, commandLeads(entities, words, mentioned)) };
}

/** Telegram marks commands; one behind nothing but the bot's name counts too. */
function commandLeads(entities: readonly TelegramEntity[], words: string, mentioned: boolean): boolean {
  return entities.some(
    ({ type, offset }) =>
      type === "bot_command" && (offset === 0 || (mentioned && /^@\w+[\s,:]*$/.test(words.slice(0, offset)))),
  );
}

function isMentionOf(bot: BotAccount, { type, offset, length, user }: TelegramEntity, words: string): boolean {
  if (type === "text_mention") return user?.id === bot.id;
  return type === "mention" && words.slice(offset, offset + length).toLowerCase() === `@${bot.username}`.toLowerCase();
}

function withoutMentions(words: string, cuts: readonly TelegramEntity[]): string {
  let text = words;
  for (const { offset, length } of cuts.toSorted((a, b) => b.offset - a.offset)) {
    const before = text.slice(0, offset);
    const after = text.slice(offset + length);
    text = before.trim() === "" ? after.replace(/^[\s,:;]+/, "") : joinAround(before, after);
  }
  return text.trim();
}

const joinAround = (before: string, after: string): string =>
  /\s$/.test(before) && /^\s|^$|^[.,;:!?]/.test(after) ? before.trimEnd() + after : before + after;

const COMMAND = /^\/([a-z0-9_]{1,32})(?:@(\w+))?(?=\s|$)/i;

function readCommand(text: string, bot: BotAccount, marked: boolean): Pick<ReadText, "text" | "command"> {
  const match = marked ? COMMAND.exec(text) : null;
  if (match?.[1] === undefined) return { text, command: undefined };
  if (match[2] !== undefined && match[2].toLowerCase() !== bot.username.toLowerCase())
    return { text, command: "other" };
  const rest = text.slice(match[0].length).trim();
  if (match[1].toLowerCase() === "start") return { text: startText(rest), command: "ours" };
  return { text: rest === "" ? `/${match[1]}` : `/${match[1]} ${rest}`, command: "ours" };
}

/** The button that opens a bot sends `/start`, and a link to it may add a word: `t.me/<bot>?start=link-<code>`. */
function startText(payload: string): string {
  const code = /^link-([A-Za-z0-9_-]+)$/.exec(payload)?.[1];
  return code === undefined ? "/help" : `/link ${code}`;
}
