import { DiscordAPIError, HTTPError, RateLimitError, RESTJSONErrorCodes as Codes } from "discord.js";
import { describeError, OutsideError, type OutsideCode, type Retry } from "../../kernel/errors.ts";

/** What was tried, for the message of its failure. */
export interface Attempt {
  /** In words that fit behind "Discord refused to": `post in channel 42`. */
  readonly what: string;
  /** The permission that it needs, by the name in Discord's settings. */
  readonly permission?: string;
}

const TOKEN_ADVICE =
  "Make a new one at https://discord.com/developers/applications (your application, Bot, Reset Token) and set DISCORD_TOKEN";

// An operator has to put a new token in place first; what waits until then is not given up.
const TOKEN_RETRY_MS = 60_000;

interface Meaning {
  readonly code: OutsideCode;
  readonly advice: string;
  readonly retry?: Retry;
}

/** Puts a failure of Discord's library into our words. `number` of Discord is kept in the message, tokens never are. */
export function toOutsideError(error: unknown, { what, permission }: Attempt): OutsideError {
  if (error instanceof OutsideError) return error;
  if (error instanceof RateLimitError) {
    const ms = Math.max(error.retryAfter, error.timeToReset, error.sublimitTimeout);
    return new OutsideError(`Discord asks to wait ${Math.ceil(ms / 1000)} s before the bot may ${what}`, {
      code: "rate-limited",
      retry: { kind: "after", ms: Math.ceil(ms) },
    });
  }
  if (error instanceof DiscordAPIError) {
    const { code, advice, retry } = meaningOf(error, permission);
    return new OutsideError(
      `Discord refused to ${what}: ${error.message.split("\n")[0] ?? ""} (${error.code}). ${advice}`,
      { code, ...(retry === undefined ? {} : { retry }), cause: withoutRequest(error) },
    );
  }
  if (error instanceof HTTPError) {
    return new OutsideError(`Discord failed to ${what}: HTTP ${error.status}`, {
      code: "unavailable",
      retry: { kind: "after" },
    });
  }
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError" || name === "TimeoutError")
    return new OutsideError(`Discord did not answer in time when asked to ${what}`, {
      code: "timeout",
      retry: { kind: "after" },
    });
  if (/Expected token to be set/.test(describeError(error))) return tokenRefused(what);
  return new OutsideError(`Discord could not be reached to ${what}: ${reasonOf(error)}`, {
    code: "unavailable",
    retry: { kind: "after" },
    cause: error,
  });
}

/** True when a failure is one that Discord has this number for. */
export function isDiscordError(error: unknown, code: Codes): boolean {
  const { cause } = error instanceof OutsideError ? error : { cause: error };
  const found: unknown = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  const wanted: number = code;
  return found === wanted;
}

/** The token is not, or no longer, good. */
export function tokenRefused(what: string): OutsideError {
  return new OutsideError(`Discord refused the bot's token when asked to ${what}. ${TOKEN_ADVICE}`, {
    code: "unauthorized",
    retry: { kind: "after", ms: TOKEN_RETRY_MS },
  });
}

function meaningOf({ code, status }: DiscordAPIError, permission: string | undefined): Meaning {
  switch (code as Codes) {
    case Codes.MissingAccess:
      return { code: "forbidden", advice: 'Give the bot the permission "View Channel" there, or invite it again' };
    case Codes.MissingPermissions:
      return { code: "forbidden", advice: `Give the bot the permission "${permission ?? "Send Messages"}" there` };
    case Codes.CannotSendMessagesToThisUser:
      return {
        code: "forbidden",
        advice: "The person takes no direct messages from this bot, or has blocked it",
      };
    case Codes.InvalidActionOnArchivedThread:
    case Codes.ThreadLocked:
      return { code: "forbidden", advice: "The thread is closed: open it, or go on in another one" };
    case Codes.UnknownChannel:
      return { code: "not-found", advice: "The channel was deleted, or the bot was removed from its server" };
    case Codes.UnknownMessage:
      return { code: "not-found", advice: "The message was deleted" };
    case Codes.InvalidWebhookToken:
    case Codes.UnknownWebhook:
    case Codes.UnknownInteraction:
      return { code: "not-found", advice: "Discord waits 15 minutes for the answer to a command, not longer" };
    case Codes.RequestEntityTooLarge:
      return { code: "too-large", advice: "Discord takes files of at most 10 MB from a bot" };
    case Codes.ActionCannotBePerformedDueToSlowmodeRateLimit:
      return { code: "rate-limited", advice: "The channel is in slow mode", retry: { kind: "after", ms: 5000 } };
    case Codes.APIResourceOverloaded:
      return { code: "overloaded", advice: "It has too much to do right now", retry: { kind: "after" } };
    default:
      return byStatus(status);
  }
}

function byStatus(status: number): Meaning {
  if (status === 401) {
    return {
      code: "unauthorized",
      advice: `The bot's token is not good. ${TOKEN_ADVICE}`,
      retry: { kind: "after", ms: TOKEN_RETRY_MS },
    };
  }
  if (status === 403) return { code: "forbidden", advice: "Look at the bot's permissions there" };
  if (status === 404) return { code: "not-found", advice: "It does not exist any more" };
  if (status === 413) return { code: "too-large", advice: "Discord takes files of at most 10 MB from a bot" };
  if (status === 429) return { code: "rate-limited", advice: "It asks to wait", retry: { kind: "after" } };
  return { code: "bad-request", advice: "This is a fault of the adapter: please report it" };
}

// The library keeps the whole request in its error: words of people, and addresses with an interaction's token.
function withoutRequest({ code, status, name }: DiscordAPIError): unknown {
  return { name, code, status };
}

function reasonOf(error: unknown): string {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : describeError(error);
}
