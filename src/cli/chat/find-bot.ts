import { z } from "zod";
import { OutsideError } from "../../kernel/errors.ts";
import type { BotClient } from "../bot-client.ts";
import { CommandFailed } from "../command-failed.ts";

/** Whether a bot answers at a client's address, or nobody does. Throws `CommandFailed` when something else is there. */
export async function isBotThere(bot: Pick<BotClient, "url" | "ask">): Promise<boolean> {
  try {
    await bot.ask({ path: "/healthz" }, z.object({ status: z.literal("ok") }));
    return true;
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error;
    // No connection at all, as opposed to one on which nothing sensible comes.
    if (isRefused(error)) return false;
    throw new CommandFailed(
      1,
      `something that is not Parley, or does not work, answers at ${bot.url}: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}

function isRefused(error: OutsideError): boolean {
  const codes = codesOf(error.cause);
  return ["ECONNREFUSED", "EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"].some((code) =>
    codes.includes(code),
  );
}

function codesOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors.flatMap(codesOf) : [];
  return ["code" in error ? error.code : undefined, ...inner, ...codesOf(error.cause)];
}
