import { afterAll, expect, test } from "vitest";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { raw, type Reply } from "./model-server.ts";

/** In millionths of the currency's unit. */
const LIMIT = 400_000;
const CHATS = 10;
const PRICE = { input: 3n, output: 15n, cached: 1n };

const lab = await openLab({
  database: await testRedis(),
  metered: true,
  settings: `
prices: [{ model: scripted, input: 3, output: 15, cached_input: 1 }]
budgets: { output_tokens: 120, extend: nobody, limits: [{ of: person, per: day, money: ${LIMIT / 1_000_000} }] }
`,
});
afterAll(() => lab.close());

let spent = 0n;
let calls = 0;

/** Answers with a usage of its own each time, some of it from the provider's cache, and adds up what that costs. */
const answer: Reply = (response, asked) => {
  calls += 1;
  const prompt = 200 + ((calls * 37) % 150);
  const cached = (calls * 53) % prompt;
  const completion = 20 + ((calls * 29) % 100);
  // A million tokens cost so many units, so a token costs as many millionths.
  spent += BigInt(prompt - cached) * PRICE.input + BigInt(cached) * PRICE.cached + BigInt(completion) * PRICE.output;
  const usage = {
    prompt_tokens: prompt,
    completion_tokens: completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
  const delta = { choices: [{ index: 0, delta: { content: "ok" }, finish_reason: "stop" }] };
  return raw(`data: ${JSON.stringify(delta)}\n\ndata: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`)(
    response,
    asked,
  );
};

test("ten runs of one person at a time never spend a millionth too much, and what /usage shows is the sum of all calls", async () => {
  lab.model.otherwise(answer);
  const chats = Array.from({ length: CHATS }, () => lab.conversation());
  const ends = await Promise.all(
    chats.map(async (chat) => {
      for (let answered = 0; ; answered += 1) {
        const said = await lab.answerTo(chat, (await lab.send(chat, "spend")).id);
        if (said.kind === "error") return { answered, text: said.text };
      }
    }),
  );
  expect(Number(spent)).toBeLessThanOrEqual(LIMIT);
  // It was the limit that ended them, and all had a part in it.
  expect(Number(spent)).toBeGreaterThan(LIMIT * 0.8);
  expect(ends.filter(({ answered }) => answered < 2)).toEqual([]);
  expect(
    ends.filter(({ text }) => !/^What is left of your budget for today is not enough: .* It resets/.test(text)),
  ).toEqual([]);

  const [chat = lab.conversation()] = chats;
  const usage = (await lab.answerTo(chat, (await lab.send(chat, "/usage")).id)).text;
  const shown = /^You, today: .*?([\d.]+) USD of 0\.40 USD/.exec(usage)?.[1];
  expect(Math.round(Number(shown) * 1_000_000)).toBe(Number(spent));
  expect(usage).toContain(`${calls} steps`);

  // What was held back for an answer is the longest one the model was allowed.
  expect(
    new Set(lab.model.requests.map(({ raw: body }) => (JSON.parse(body) as { max_tokens?: number }).max_tokens)),
  ).toEqual(new Set([120]));
});
