import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { createBudgets } from "../../src/budget/budgets.ts";
import { describeRefusal, describeUsage } from "../../src/budget/text.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configuredModels } from "../../src/config/models.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { silentLog, systemClock } from "../../src/kernel/ports.ts";
import { createModelClient } from "../../src/models/client.ts";
import { estimateTokens } from "../../src/models/estimate.ts";
import { createModelPool } from "../../src/models/failover.ts";
import { estimateSpending, spendingOf } from "../../src/models/pricing.ts";
import { createBreaker } from "../../src/store/breaker.ts";
import { testRedis } from "../setup/redis.ts";

const redisOptions = await testRedis();

const answers = (response: ServerResponse): void => {
  response.setHeader("content-type", "application/json");
  const choices = [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }];
  response.end(JSON.stringify({ choices, usage: { prompt_tokens: 1000, completion_tokens: 100 } }));
};
const refuses = (response: ServerResponse): void => void response.writeHead(429, { "retry-after": "60" }).end("{}");

test("models, prices and budgets from the configuration work together", async () => {
  const [first, second] = [await serve(refuses), await serve(answers)];
  const { config } = await loadConfig({
    env: { AI_URL: first, AI_MODEL: "first" },
    dir: "config",
    readFile: (path) => Promise.resolve(path.endsWith("parley.yaml") ? settings(second) : "Be kind."),
  });
  const redis = new Redis(redisOptions);
  onTestFinished(() => redis.disconnect());
  let ids = 0;
  const newId = () => `id${++ids}`;
  const { models, purposes } = configuredModels(config);
  const clients = new Map(
    models.map(({ name, price: _price, contextTokens: _contextTokens, apiKey, ...rest }) => {
      const key = apiKey === undefined ? {} : { apiKey: apiKey.reveal() };
      return [name, createModelClient({ ...rest, ...key, log: silentLog, clock: systemClock })];
    }),
  );
  const breaker = createBreaker(redis);
  const pool = createModelPool({ models, purposes, clients, breaker, log: silentLog, clock: systemClock, newId });
  const budgets = createBudgets({
    redis,
    config: () => config.budgets,
    clock: { now: () => Date.parse("2026-11-21T10:00:00Z") },
    newId,
  });
  const scope = { workspaceId: parseWorkspaceId("ada"), conversationId: parseConversationId("web:1") };
  const messages = [{ role: "user", content: "x".repeat(4000) }] as const;

  const step = async (id: string) => {
    const tokens = {
      inputTokens: estimateTokens(JSON.stringify(messages)),
      outputTokens: config.budgets.output_tokens,
    };
    const prices = pool.choose({ purpose: "chat", tokens: tokens.inputTokens }).map(({ price }) => price);
    const estimate = estimateSpending(tokens, prices);
    const reserved = await budgets.reserve({ id, scope, estimate });
    if (reserved.kind === "refused") return describeRefusal(reserved, config.budgets.currency);
    const signal = new AbortController().signal;
    const request = { runId: parseRunId("run"), purpose: "chat", messages, tools: [], signal } as const;
    const { usage, model } = await pool.ask(request);
    const price = models.find(({ name }) => name === model)?.price;
    await budgets.settle(reserved.reservation, spendingOf(usage, price));
    return model;
  };

  expect(await step("run:1")).toBe("second");
  expect(describeUsage(await budgets.usage(scope), config.budgets.currency)).toBe(
    "You, today: 1,100 tokens, 0.0028 EUR of 0.02 EUR, 1 step. Resets on 22 Nov, 00:00 (UTC).\n" +
      "You, this month: 1,100 tokens, 0.0028 EUR, 1 step. Resets on 1 Dec, 00:00 (UTC).",
  );
  expect(await step("run:2")).toBe("second");
  // The dearer model is not asked, but it might be: so much has to be left.
  expect(await step("run:3")).toMatch(/^What is left of your budget for today is not enough: 0\.0056 EUR of 0\.02 EUR/);
});

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => void request.resume().on("end", () => answer(response)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

function settings(second: string): string {
  return `
models: [{ url: ${second}, model: second }]
prices:
  - { model: first, input: 5, output: 10 }
  - { model: second, input: 2, output: 8 }
budgets: { currency: EUR, output_tokens: 1000, limits: [{ of: person, per: day, money: 0.02 }] }
`;
}
