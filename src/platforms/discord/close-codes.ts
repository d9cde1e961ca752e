import { GatewayCloseCodes as Codes } from "discord.js";
import { describeError, OutsideError } from "../../kernel/errors.ts";
import { toOutsideError, tokenRefused } from "./errors.ts";

/** Why Discord ended the connection for good, with what the operator has to do. Pure. */
export function closedForGood(code: number): OutsideError {
  switch (code as Codes) {
    case Codes.AuthenticationFailed:
      return tokenRefused("let the bot connect");
    case Codes.DisallowedIntents:
      return new OutsideError(
        "Discord closed the connection (4014): the bot may not read messages. Turn on Message Content Intent at https://discord.com/developers/applications (your application, Bot, Privileged Gateway Intents)",
        { code: "forbidden" },
      );
    case Codes.InvalidIntents:
      return new OutsideError(
        "Discord closed the connection (4013): it does not know the intents. Please report this",
        {
          code: "bad-request",
        },
      );
    case Codes.ShardingRequired:
    case Codes.InvalidShard:
      return new OutsideError(
        `Discord closed the connection (${code}): the bot is in too many servers for one connection (about 2,500). Remove it from some, or use several bots`,
        { code: "refused" },
      );
    default:
      return new OutsideError(`Discord closed the connection for good (${code})`, { code: "refused" });
  }
}

/** Why the bot could not connect. Pure. */
export function couldNotConnect(error: unknown): OutsideError {
  const text = describeError(error);
  if (/Not enough sessions remaining/.test(text)) {
    return new OutsideError(
      "Discord lets a bot connect only so often a day, and that is used up. It goes on by itself within a day; look for something that restarts the bot again and again",
      { code: "rate-limited", retry: { kind: "after", ms: 600_000 } },
    );
  }
  if (/invalid token was provided/i.test(text)) return tokenRefused("let the bot connect");
  return toOutsideError(error, { what: "let the bot connect" });
}
