import { userInfo } from "node:os";
import type { Config } from "../../config/schema.ts";
import { InvalidId, parseConversationId, parseWorkspaceId } from "../../kernel/ids.ts";
import { createBotClient, type BotClient } from "../bot-client.ts";
import { CommandFailed } from "../command-failed.ts";
import { printLine, type Io } from "../io.ts";
import { findAddress, readSettings } from "../settings.ts";
import { converse, type Conversing } from "./converse.ts";
import { isBotThere } from "./find-bot.ts";
import type { OwnBot } from "./own-bot.ts";

/** What can be said on the command line. */
export interface ChatOptions {
  readonly user?: string;
  readonly conversation?: string;
  readonly url?: string;
}

/**
 * `parley chat`: a conversation in this terminal, or between scripts when input or output is none. Where no bot answers
 * it starts one for as long as it runs. Returns the exit code.
 */
export async function chat(options: ChatOptions, io: Io): Promise<number> {
  const who = whoSpeaks(options);
  const config = await readSettings(io.env);
  const ending = io.untilSignal();
  const { bot, own } = await findOrStart(config, options.url, io);
  try {
    const code = await converse({ bot, who, ownBot: own !== undefined, ending, io });
    return ending.aborted ? (SIGNAL_CODES[String(ending.reason)] ?? 1) : code;
  } finally {
    await own?.stop();
  }
}

const SIGNAL_CODES: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

function whoSpeaks(options: ChatOptions): Conversing["who"] {
  try {
    const user = parseWorkspaceId(options.user ?? loginName());
    return { user, conversation: parseConversationId(options.conversation ?? `terminal:${user}`) };
  } catch (error) {
    if (error instanceof InvalidId) throw new CommandFailed(2, error.message, { cause: error });
    throw error;
  }
}

// A process in a container may run as a user that has no name.
function loginName(): string {
  try {
    return userInfo().username.replaceAll(/[\s{}]/g, "-");
  } catch {
    return "me";
  }
}

async function findOrStart(
  config: Config,
  given: string | undefined,
  io: Io,
): Promise<{ bot: BotClient; own?: OwnBot }> {
  const connect = (url: string) => createBotClient({ url, key: config.server.api_key, fetch: io.fetch });
  const address = findAddress(config, given);
  if (address !== undefined) {
    const bot = connect(address);
    if (await isBotThere(bot)) return { bot };
    if (given !== undefined) throw new CommandFailed(1, `nothing answers at ${address}; is the bot running there?`);
  }
  const { startOwnBot } = await import("./own-bot.ts");
  const own = await startOwnBot(config);
  const why = address === undefined ? "" : `No bot answers at ${address}: `;
  printLine(io.errors, `${why}this chat runs one itself, until it ends. Warnings go to ${own.logFile}.`);
  if (own.demo)
    printLine(io.errors, "The offline demo model answers. For a real one set AI_URL and AI_API_KEY (and AI_MODEL).");
  return { bot: connect(own.url), own };
}
