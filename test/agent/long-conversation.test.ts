import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { startCompactor } from "../../src/engine/compactor.ts";
import { parseMessageId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { estimateTokens } from "../../src/models/estimate.ts";
import { defineTool } from "../../src/tools/define.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, say, type Asked, type Reply } from "./model-server.ts";
import { transcriptProblems } from "./transcript-problems.ts";

const TURNS = 2000;
const BATCH = 250;
const MAX_MESSAGES = 30;
const MAX_TOKENS = 6000;

const dump = defineTool({
  name: "dump",
  description: "Gives far more than anyone asked for.",
  effect: "read",
  input: z.object({ page: z.int() }),
  run: ({ page }) => `page ${page}: ${"lorem ipsum ".repeat(800)}`,
});

const database = await testRedis();
const redis = new Redis(database);
const lab = await openLab({
  database,
  tools: [dump],
  settings: `ai:\n  history_messages: ${MAX_MESSAGES}\n  history_tokens: ${MAX_TOKENS}\ncontext:\n  summary_tokens: 400\n`,
});
afterAll(async () => {
  await lab.close();
  redis.disconnect();
});

const numberIn = ({ messages }: Asked) =>
  Number(/^turn (\d+)/.exec(messages.findLast(({ role }) => role === "user")?.content ?? "")?.[1]);

/** Every third turn uses tools, every ninth several at once; the call ids come again and again, as some models send them. */
const converse: Reply = (response, asked) => {
  const number = numberIn(asked);
  const isNew = asked.messages.at(-1)?.role === "user";
  const calls = number % 9 === 0 ? 3 : number % 3 === 0 ? 1 : 0;
  const pages = Array.from({ length: calls }, (_, page) => ({ name: "dump", args: { page }, id: `call_${page}` }));
  return (isNew && calls > 0 ? call(...pages) : say(`That was turn ${number}.`))(response, asked);
};

/** Keeps what it should never forget, and a little of the rest. */
const summarise: Reply = (response, asked) => {
  const text = asked.messages[1]?.content ?? "";
  const facts = [...new Set(text.match(/FACT-\d+/g))];
  const latest = text.match(/turn \d+/g)?.at(-1) ?? "";
  return say(`Never to be forgotten: ${facts.join(", ")}. They had come to ${latest}.`)(response, asked);
};

test(
  `a conversation of ${TURNS} turns stays within its limits and valid at every request, and its beginning is not forgotten`,
  { timeout: 180_000 },
  async () => {
    lab.model.otherwise(converse);
    lab.model.onSummary(summarise);
    const chat = lab.conversation();
    const ids = [];
    const kept: number[] = [];
    for (let first = 1; first <= TURNS; first += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, index) => first + index);
      for (const number of batch) {
        // Facts that only the summary can carry to the end.
        const fact = number % 500 === 1 ? ` FACT-${number}` : "";
        const id = parseMessageId(`turn-${number}`);
        ids.push((await lab.send(chat, `turn ${number}${fact}`, { id })).id);
      }
      const half = ids.at(-BATCH / 2);
      if (first % 500 === 1 && half !== undefined) {
        await lab.answerTo(chat, half);
        await lab.restart();
      }
      await lab.answerTo(chat, parseMessageId(`turn-${first + BATCH - 1}`));
      await compact();
      kept.push(await bytesOf(chat));
    }

    const said = lab.said(chat);
    expect(said.map(({ kind, answers }) => `${kind} ${answers.join()}`)).toEqual(ids.map((id) => `answer ${id}`));
    const { requests, summaries } = lab.model;
    expect(requests.length).toBeGreaterThan(TURNS * 1.3);
    const odd = [...requests, ...summaries].flatMap((asked) => [
      ...transcriptProblems(asked.messages),
      ...(tokensOf(asked) > MAX_TOKENS ? [`${tokensOf(asked)} tokens`] : []),
    ]);
    expect(odd).toEqual([]);
    // The run at hand comes on top: a question, calls with their results.
    expect(Math.max(...requests.map(({ messages }) => messages.length))).toBeLessThanOrEqual(1 + MAX_MESSAGES);

    const system = requests.at(-1)?.messages[0]?.content ?? "";
    for (const fact of ["FACT-1", "FACT-501", "FACT-1001", "FACT-1501"])
      expect(system).toMatch(new RegExp(`${fact}\\b`));
    // Not with every turn: a summary is worth several.
    expect(summaries.length).toBeGreaterThan(TURNS / 30);
    expect(summaries.length).toBeLessThan(TURNS / 3);
    // What Redis keeps of it does not grow with its length.
    expect(Math.max(...kept.slice(4))).toBeLessThan(Math.max(...kept.slice(0, 4)) * 1.25);
    expect(Math.max(...kept)).toBeLessThan(2_000_000);
    // The newest part is there as it was said.
    expect(requests.at(-1)?.messages.some(({ content }) => content === `That was turn ${TURNS - 1}.`)).toBe(true);
    expect(lab.lines.filter((line) => !line.includes("a run was taken over"))).toEqual([]);
  },
);

function tokensOf({ messages }: Asked): number {
  return messages.reduce(
    (sum, { content, tool_calls: calls = [] }) =>
      sum +
      4 +
      estimateTokens(content ?? "") +
      calls.reduce((all, { function: made }) => all + 4 + estimateTokens(made.name + made.arguments), 0),
    0,
  );
}

/** What the conversation's journal, archive and inbox take in Redis. */
async function bytesOf(chat: string): Promise<number> {
  const keys = await redis.keys(`{p*}[acq]:chat/${chat}*`);
  const sizes = await Promise.all(keys.map((key) => redis.memory("USAGE", key)));
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
}

async function compact(): Promise<void> {
  const { lanes, clock } = lab.runtime();
  const limits = { idleMs: -60_000, minLines: 2, restMs: 86_400_000, keepLines: 300 };
  const compactor = startCompactor({ lanes, clock, log: silentLog, limits });
  expect(await compactor.sweep()).toBeGreaterThan(0);
  compactor.stop();
}
