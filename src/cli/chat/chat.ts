import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { InvalidId, parseConversationId, parseWorkspaceId } from "../../kernel/ids.ts";
import { createBotClient, type BotClient } from "../bot-client.ts";
import { CommandFailed } from "../command-failed.ts";
import type { Config } from "../../config/schema.ts";
import { printLine, type Io } from "../io.ts";
import { findAddress, readSettings } from "../settings.ts";
import { createConversationApi } from "./conversation-api.ts";
import { isBotThere } from "./find-bot.ts";
import { chatByTyping, LEAVE } from "./interactive.ts";
import { chatByLines } from "./lines.ts";
import { createLiveView } from "./live-view.ts";
import type { OwnBot } from "./own-bot.ts";
import { createPlainView } from "./plain-view.ts";
import { createBareScreen, createPromptScreen } from "./screen.ts";
import { createSession } from "./session.ts";
import type { ChatView } from "./view.ts";

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
    const code = await converse(bot, who, own, ending, io);
    return ending.aborted ? SIGNAL_CODES[String(ending.reason)] ?? 1 : code;
  } finally {
    await own?.stop();
  }
}

/** How long lines that are not typed wait for a bot that is out of reach. */
const PATIENCE_MS = 120_000;

const SIGNAL_CODES: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

interface Who {
  readonly user: string;
  readonly conversation: string;
}

function whoSpeaks(options: ChatOptions): Who {
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

async function findOrStart(config: Config, given: string | undefined, io: Io): Promise<{ bot: BotClient; own?: OwnBot }> {
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
  if (own.demo) printLine(io.errors, "The offline demo model answers. For a real one set AI_URL and AI_API_KEY (and AI_MODEL).");
  return { bot: connect(own.url), own };
}

async function converse(bot: BotClient, who: Who, own: OwnBot | undefined, ending: AbortSignal, io: Io): Promise<number> {
  const api = createConversationApi(bot, who);
  const rich = io.output.isTTY && io.env["TERM"] !== "dumb";
  const over = new AbortController();
  const signal = AbortSignal.any([ending, over.signal]);
  const begin = (view: ChatView, patienceMs?: number) => {
    const session = createSession({
      api,
      view,
      newId: () => `cli_${randomUUID()}`,
      pause: (ms, until) => delay(ms, undefined, { signal: until }).catch(() => undefined),
      now: () => performance.now(),
      ...(patienceMs === undefined ? {} : { patienceMs }),
    });
    // Whoever waits for the session learns from the signal that it is over, and why from the promise.
    const running = session.run(signal).finally(() => over.abort());
    running.catch(() => undefined);
    return { session, running };
  };
  const end = async <T>(running: Promise<void>, result: T) => {
    over.abort();
    await running;
    return result;
  };

  if (rich && io.input.isTTY) {
    const editor = createInterface({ input: io.input, output: io.output, terminal: true, historySize: 500 });
    const screen = createPromptScreen(editor, io.output);
    const view = createLiveView(screen);
    view.note(`${who.user} at ${bot.url}, conversation ${who.conversation}. /help lists commands, ${LEAVE} leaves.`);
    const { session, running } = begin(view);
    await chatByTyping({ editor, screen, session, signal, note: view.note });
    view.end();
    if (session.state().pending.length > 0 && !signal.aborted) printLine(io.output, own === undefined ? LEFT : LEFT_OWN);
    return end(running, 0);
  }

  const live = rich ? createLiveView(createBareScreen(io.output)) : undefined;
  const view = live === undefined ? createPlainView(io.output, io.errors) : { ...live, earlier: () => undefined };
  const { session, running } = begin(view, PATIENCE_MS);
  const code = await chatByLines({
    io,
    session,
    signal,
    onSend: (text) => live?.note(`> ${text}`),
    onUnanswered: (count) =>
      printLine(
        io.errors,
        `parley: ${count === 1 ? "a message waits" : `${count} messages wait`} for the answer to a question; ` +
          `give it with parley chat --user ${who.user} --conversation ${who.conversation}`,
      ),
  });
  live?.end();
  return end(running, code);
}

const LEFT = "What is not answered yet goes on; you find it in this conversation when you come back.";
const LEFT_OWN = "What is not answered yet is kept, and goes on when the bot runs again.";
