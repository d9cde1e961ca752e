import { notReadySchema, readySchema } from "../api/contract.ts";
import { OutsideError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/json.ts";
import type { BotClient } from "./bot-client.ts";
import { printJson, printLine, type Io } from "./io.ts";
import { connectToBot } from "./settings.ts";
import { renderTable } from "./table.ts";

/** How the bot is, as `parley status --json` prints it. */
export interface BotStatus {
  readonly url: string;
  /** Whether it answers at all. */
  readonly alive: boolean;
  /** Whether it can work. */
  readonly ready: boolean;
  /** `ok`, or what is wrong, for each part; empty when it was not said. */
  readonly checks: Readonly<Record<string, string>>;
  /** What is wrong, in one sentence; null when nothing is. */
  readonly problem: string | null;
  /** What to do about it; null when nothing is wrong. */
  readonly advice: string | null;
}

/** `parley status`: says how the bot is. Returns 0 when it is ready and 1 when it is not. */
export async function status(options: { readonly url?: string; readonly json?: true }, io: Io): Promise<number> {
  const found = await askStatus(await connectToBot(io, options.url));
  if (options.json === true) printJson(io.output, found);
  else printLine(io.output, renderStatus(found));
  return found.ready ? 0 : 1;
}

/** What a person reads. Pure. */
export function renderStatus({ url, alive, ready, checks, problem, advice }: BotStatus): string {
  const rows = [
    ["address", url],
    ["answers", alive ? "yes" : "no"],
    ["ready", ready ? "yes" : "no"],
    ...Object.entries(checks),
  ];
  const lines = [renderTable(rows)];
  if (problem !== null) lines.push("", problem);
  if (advice !== null) lines.push(advice);
  return lines.join("\n");
}

async function askStatus(bot: BotClient): Promise<BotStatus> {
  const { url } = bot;
  const signal = AbortSignal.timeout(ANSWER_MS);
  const nothing = { url, alive: false, ready: false, checks: {} };
  try {
    const health = await bot.open({ path: "/healthz", signal });
    await health.body?.cancel();
    if (!health.ok)
      return { ...nothing, problem: `${url}/healthz answers with HTTP ${health.status}.`, advice: ADVICE.stranger };
    const answer = await bot.open({ path: "/readyz", signal });
    const text = await answer.text();
    return readAnswer(url, answer.status, text);
  } catch (error) {
    // The body of an answer can still fail to come.
    const problem = error instanceof OutsideError ? error.message : `${url} did not answer in time`;
    const isTimeout = !(error instanceof OutsideError) || error.code === "timeout";
    return { ...nothing, problem: `${problem}.`, advice: isTimeout ? ADVICE.hangs : ADVICE.nobody };
  }
}

const ANSWER_MS = 5_000;

function readAnswer(url: string, code: number, text: string): BotStatus {
  const body = parseJson(text);
  const ready = readySchema.safeParse(body).data;
  if (code === 200 && ready !== undefined)
    return { url, alive: true, ready: true, checks: ready.checks, problem: null, advice: null };
  const failed = notReadySchema.safeParse(body).data;
  if (failed === undefined)
    return {
      url,
      alive: true,
      ready: false,
      checks: {},
      problem: "This is not a Parley, or another version of it.",
      advice: ADVICE.stranger,
    };
  // Without Redis the other checks may not come to an end either.
  const redis = failed.checks["redis"] === "ok";
  return {
    url,
    alive: true,
    ready: false,
    checks: failed.checks,
    problem: `Not ready: ${failed.error.message}.`,
    advice: redis ? ADVICE.part : ADVICE.redis,
  };
}

const ADVICE = {
  nobody: "Start the bot with npm start, or name another address with --url, HOST and PORT.",
  stranger: "Name the bot's address with --url, or with HOST and PORT.",
  hangs: "It may be overloaded, or something else listens there: look at its log.",
  redis:
    "Check that Redis runs and that REDIS_URL is its address. Nothing is lost: the bot goes on when Redis is back.",
  part: "It may still be starting or already be stopping; otherwise its log says why.",
};
