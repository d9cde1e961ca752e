import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { OutsideError } from "../../kernel/errors.ts";
import type { BotClient } from "../bot-client.ts";
import { CommandFailed } from "../command-failed.ts";
import { printLine, type Io } from "../io.ts";
import { createConversationApi } from "./conversation-api.ts";
import { ATTACH } from "./files.ts";
import { chatByTyping, LEAVE } from "./interactive.ts";
import { chatByLines } from "./lines.ts";
import { createLiveView } from "./live-view.ts";
import { createPlainView } from "./plain-view.ts";
import { createBareScreen, createPromptScreen } from "./screen.ts";
import { createSession, type Session } from "./session.ts";
import type { ChatView } from "./view.ts";

/** Who talks to which bot, and from where. */
export interface Conversing {
  readonly bot: BotClient;
  readonly who: { readonly user: string; readonly conversation: string };
  /** Whether the bot ends with this conversation. */
  readonly ownBot: boolean;
  /** Aborts when the program must end. */
  readonly ending: AbortSignal;
  readonly io: Io;
}

/**
 * Holds a conversation: with a person where both input and output are a terminal, else line by line. Returns the exit
 * code; throws `OutsideError` or `CommandFailed` when the bot refuses or is out of reach for too long.
 */
export function converse(conversing: Conversing): Promise<number> {
  const { input, output, env } = conversing.io;
  const canRedraw = output.isTTY === true && env["TERM"] !== "dumb";
  return canRedraw && input.isTTY === true ? withPerson(conversing) : byLines(conversing, canRedraw);
}

async function withPerson(conversing: Conversing): Promise<number> {
  const { bot, who, io, ownBot } = conversing;
  const editor = createInterface({ input: io.input, output: io.output, terminal: true, historySize: 500 });
  const screen = createPromptScreen(editor, io.output);
  const view = createLiveView(screen);
  view.note(
    `${who.user} at ${bot.url}, conversation ${who.conversation}. /help lists commands, ${ATTACH} sends a file, ${LEAVE} leaves.`,
  );
  return withSession(conversing, view, Number.POSITIVE_INFINITY, async (session, signal) => {
    await chatByTyping({ editor, screen, session, signal, note: view.note, now: () => performance.now() });
    view.end();
    if (session.state().pending.length > 0 && !signal.aborted) printLine(io.output, ownBot ? LEFT_OWN : LEFT);
    return 0;
  });
}

async function byLines(conversing: Conversing, canRedraw: boolean): Promise<number> {
  const { who, io } = conversing;
  const live = canRedraw ? createLiveView(createBareScreen(io.output)) : undefined;
  const view = live === undefined ? createPlainView(io.output, io.errors) : { ...live, earlier: () => undefined };
  return withSession(conversing, view, PATIENCE_MS, async (session, signal) => {
    const code = await chatByLines({
      input: io.input,
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
    return code;
  });
}

/** How long a script waits for a bot that is out of reach. */
const PATIENCE_MS = 120_000;

const LEFT = "What is not answered yet goes on; you find it in this conversation when you come back.";
const LEFT_OWN = "What is not answered yet is kept, and goes on when the bot runs again.";

/** Follows the conversation while `work` lasts; its signal aborts when the conversation cannot be followed any more. */
async function withSession(
  { bot, who, ending }: Conversing,
  view: ChatView,
  patienceMs: number,
  work: (session: Session, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const over = new AbortController();
  const signal = AbortSignal.any([ending, over.signal]);
  const session = createSession({
    api: createConversationApi(bot, who),
    url: bot.url,
    view,
    newId: () => `cli_${randomUUID()}`,
    pause: (ms, until) => delay(ms, undefined, { signal: until }).catch(() => undefined),
    now: () => performance.now(),
    patienceMs,
  });
  const running = session.run(signal).finally(() => over.abort());
  // It is awaited below; until then nobody must be told that nobody listens.
  running.catch(() => undefined);
  const code = await work(session, signal);
  over.abort();
  await running.catch((error: unknown) => {
    throw explainRefusal(error);
  });
  return code;
}

// A conversation that may not be seen looks like one that is not there.
function explainRefusal(error: unknown): unknown {
  if (!(error instanceof OutsideError) || !["forbidden", "not-found"].includes(error.code)) return error;
  const help = "With a key that is bound to a person, use --user NAME --conversation api:NAME with that person's name";
  return new CommandFailed(1, `${error.message}. ${help}`, { cause: error });
}
