import { GrammyError, HttpError } from "grammy";
import { OutsideError, type OutsideCode, type Retry } from "../../kernel/errors.ts";

/** A failed call of the Bot API, with what it takes to go on from it. Nothing of it holds the token or a message. */
export class TelegramError extends OutsideError {
  /** What Telegram said, for instance `Bad Request: chat not found`; empty when it said nothing. */
  readonly description: string;
  /** The chat that a group became, when that is why. */
  readonly movedTo: number | undefined;

  constructor(
    message: string,
    options: {
      readonly code: OutsideCode;
      readonly retry: Retry;
      readonly description?: string;
      readonly movedTo?: number | undefined;
    },
  ) {
    super(message, options);
    this.description = options.description ?? "";
    this.movedTo = options.movedTo;
  }
}

export const isBadMarkup = (error: unknown): boolean => says(error, /can't parse entities|can't find end of/i);
export const isUnchanged = (error: unknown): boolean => says(error, /message is not modified/i);
export const isGone = (error: unknown): boolean =>
  says(error, /message to (edit|delete) not found|MESSAGE_ID_INVALID|message can't be (edited|deleted)/i);
export const isLatePress = (error: unknown): boolean => says(error, /query is too old|query ID is invalid/i);
export const isUnfitPhoto = (error: unknown): boolean => says(error, /PHOTO_|IMAGE_PROCESS_FAILED|wrong type of/i);

function says(error: unknown, words: RegExp): boolean {
  return error instanceof TelegramError && words.test(error.description);
}

const NEVER: Retry = { kind: "never" };
/** How soon a call makes sense again while the bot's token is refused: when the operator had time to put it right. */
const TOKEN_RETRY_MS = 60_000;

/**
 * What a failed call means. `doing` says what was tried, `send the message`. The thrown value is read here and let go:
 * the library keeps the address with the token, and whole messages, in its errors.
 */
export function telegramError(error: unknown, doing: string): TelegramError {
  if (error instanceof TelegramError) return error;
  if (error instanceof GrammyError) return refusal(error, doing);
  if (error instanceof HttpError) return unanswered(error.error, doing);
  return new TelegramError(`Could not ${doing} on Telegram: ${nameOf(error)}`, { code: "failed", retry: NEVER });
}

function refusal({ error_code: status, description, parameters }: GrammyError, doing: string): TelegramError {
  const { code, retry, advice } = meaning(status, description, parameters.retry_after);
  return new TelegramError(`Telegram did not ${doing}: ${status} ${description}${advice === "" ? "" : `. ${advice}`}`, {
    code,
    retry,
    description,
    movedTo: parameters.migrate_to_chat_id,
  });
}

interface Meaning {
  readonly code: OutsideCode;
  readonly retry: Retry;
  /** What the operator or the person can do. */
  readonly advice: string;
}

const TOKEN_ADVICE = "Copy the token from @BotFather (/mybots, API Token) and set TELEGRAM_BOT_TOKEN to it.";

function meaning(status: number, description: string, retryAfter: number | undefined): Meaning {
  if (status === 429)
    return {
      code: "rate-limited",
      retry: { kind: "after", ms: (retryAfter ?? 1) * 1000 },
      advice: "Telegram limits how fast bots post; it goes on by itself.",
    };
  // A token that has not even the form of one is a path that does not exist.
  if (status === 401 || (status === 404 && description === "Not Found"))
    return { code: "unauthorized", retry: { kind: "after", ms: TOKEN_RETRY_MS }, advice: TOKEN_ADVICE };
  if (status === 409) return { code: "refused", retry: { kind: "after" }, advice: conflictAdvice(description) };
  if (status === 403) return { code: "forbidden", retry: NEVER, advice: forbiddenAdvice(description) };
  if (status === 413) return { code: "too-large", retry: NEVER, advice: "" };
  if (status === 503) return { code: "overloaded", retry: { kind: "after" }, advice: "" };
  if (status >= 500) return { code: "unavailable", retry: { kind: "after" }, advice: "" };
  return badRequest(description);
}

function badRequest(description: string): Meaning {
  const row = BAD_REQUESTS.find(({ words }) => words.test(description));
  return { code: row?.code ?? "bad-request", retry: NEVER, advice: row?.advice ?? "" };
}

const BAD_REQUESTS: readonly { readonly words: RegExp; readonly code: OutsideCode; readonly advice: string }[] = [
  {
    words: /chat not found/i,
    code: "not-found",
    advice: "The chat is gone, or the person never wrote to this bot.",
  },
  { words: /thread not found|TOPIC_DELETED|TOPIC_ID_INVALID/i, code: "not-found", advice: "The topic was deleted." },
  { words: /TOPIC_CLOSED/i, code: "forbidden", advice: "The topic is closed: reopen it, or make the bot an admin." },
  {
    words:
      /not enough rights|have no rights|need administrator rights|CHAT_WRITE_FORBIDDEN|CHAT_RESTRICTED|CHAT_ADMIN_REQUIRED|_FORBIDDEN/i,
    code: "forbidden",
    advice: "Give the bot the right to send messages and files in the group's settings.",
  },
  { words: /too long|too big|too large|ENTITY_TOO_LARGE/i, code: "too-large", advice: "" },
];

function forbiddenAdvice(description: string): string {
  if (/blocked by the user/i.test(description)) return "The person has blocked the bot and can unblock it in its chat.";
  if (/deactivated/i.test(description)) return "The person's account does not exist any more.";
  if (/initiate conversation/i.test(description)) return "The person has to write to the bot first.";
  if (/kicked|not a member/i.test(description)) return "The bot was removed from the chat: add it again.";
  return "";
}

function conflictAdvice(description: string): string {
  return /webhook/i.test(description)
    ? "A webhook is set for this bot; it is being removed. If this comes back, another program sets it: stop that program."
    : "Another program polls with this bot's token. Stop it, or take a new token from @BotFather (/revoke) for Parley.";
}

/** No usable reply came: unless no connection was made, the call may have taken effect. */
function unanswered(error: unknown, doing: string): TelegramError {
  const code = codeOf(error);
  if (code !== undefined && NEVER_REACHED.has(code))
    return new TelegramError(
      `Telegram cannot be reached (${code}), so it did not ${doing}. Check this machine's connection.`,
      { code: "overloaded", retry: { kind: "after" } },
    );
  const timedOut = /timed out|abort/i.test(nameOf(error));
  return new TelegramError(
    `Telegram gave no ${timedOut ? "answer in time" : "usable answer"} when asked to ${doing} (${code ?? nameOf(error)})`,
    { code: timedOut ? "timeout" : "unavailable", retry: { kind: "after" } },
  );
}

/** Failures before a byte was sent: such a call certainly did nothing. */
const NEVER_REACHED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
]);

function codeOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** What kind of failure it is, without its text, in which the address may stand. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown failure";
  if (/timed out/i.test(error.message)) return "timed out";
  const type = "type" in error && typeof error.type === "string" ? error.type : "";
  return type === "" ? error.name : type;
}
