import type { ModelChoices } from "./agent/model-command.ts";
import type { Config } from "./config/schema.ts";
import { configuredModels, type ConfiguredModel } from "./config/models.ts";
import { createBudgets, type Budgets } from "./budget/budgets.ts";
import { proposeExtension } from "./budget/extension.ts";
import { describeNotice, describeRefusal } from "./budget/text.ts";
import { OutsideError } from "./kernel/errors.ts";
import { systemClock, type Log, type NewId } from "./kernel/ports.ts";
import { decideCharge } from "./models/blame.ts";
import { BudgetRefused } from "./models/budget-refused.ts";
import { createModelClient } from "./models/client.ts";
import type { ModelClient, ModelRequest } from "./models/contract.ts";
import { startDemoModel } from "./models/demo/server.ts";
import { estimateRequest } from "./models/estimate.ts";
import { createModelPool, type ModelPool } from "./models/failover.ts";
import { estimateSpending, spendingOf, type Price, type Spending } from "./models/pricing.ts";
import { createBreaker } from "./store/breaker.ts";
import type { RedisConnection } from "./store/connection.ts";

/** What answers: the configured models in their order, or the offline demo model when there are none. */
export interface ModelSource {
  readonly client: ModelClient;
  readonly budgets: Budgets;
  /** What people may choose from for a conversation. */
  readonly choices: ModelChoices;
  /** True when the offline demo model answers. */
  readonly demo: boolean;
  /** Takes over changed models, keys, prices and limits. */
  apply(config: Config): void;
  close(): Promise<void>;
}

/** Opens the models. The demo model is served over HTTP like any other, so that both take the same path. */
export async function openModels(parts: {
  readonly config: Config;
  readonly redis: RedisConnection;
  readonly newId: NewId;
  readonly log: Log;
}): Promise<ModelSource> {
  const { redis, newId, log } = parts;
  let { config } = parts;
  const clock = systemClock;
  const demo = configuredModels(config).models.length === 0;
  const server = demo ? await startDemoModel({ log }) : undefined;
  const breaker = createBreaker(redis);
  const budgets = createBudgets({ redis, config: () => config.budgets, clock, newId });

  function connect(): { readonly pool: ModelPool; readonly prices: ReadonlyMap<string, Price | undefined> } {
    const { models, purposes } = configuredModels(config);
    const specs: readonly ConfiguredModel[] =
      server === undefined ? models : [{ name: "demo", model: "parley-demo", url: server.url, timeoutMs: 60_000 }];
    const clients = new Map(
      specs.map(({ name, price: _price, contextTokens: _contextTokens, apiKey, ...rest }) => {
        const key = apiKey === undefined ? {} : { apiKey: apiKey.reveal() };
        return [name, createModelClient({ ...rest, ...key, log, clock })] as const;
      }),
    );
    return {
      pool: createModelPool({ models: specs, purposes, clients, breaker, log, clock, newId }),
      prices: new Map(specs.map(({ name, price }) => [name, price])),
    };
  }
  let connected = connect();

  /** One call within the person's budgets: held back before, counted after, whatever comes of it. */
  async function ask(asked: ModelRequest) {
    const { pool, prices } = connected;
    const { spender } = asked;
    if (spender === undefined) return pool.ask(asked);
    const { limits, output_tokens: outputTokens } = config.budgets;
    // Only a limit that the model is told is the most it can cost.
    const longest = limits.some(({ money }) => money !== undefined) ? outputTokens : Infinity;
    const maxTokens = Math.min(asked.maxTokens ?? Infinity, longest);
    const request = maxTokens === Infinity ? asked : { ...asked, maxTokens };
    const count = {
      inputTokens: estimateRequest(request),
      outputTokens: Math.min(maxTokens, outputTokens),
    };
    const choice = { purpose: request.purpose, ...(request.model === undefined ? {} : { model: request.model }) };
    const candidates = pool.choose({ ...choice, tokens: count.inputTokens }).map(({ price }) => price);
    const { step, ...scope } = spender;
    const reserved = await budgets.reserve({
      id: `${request.runId}:${step}`,
      scope,
      estimate: estimateSpending(count, candidates),
    });
    const { currency } = config.budgets;
    if (reserved.kind === "refused") {
      const { of, per, add } = proposeExtension(reserved, scope);
      const { resetsAt } = reserved;
      throw new BudgetRefused(describeRefusal(reserved, currency), { proposal: { scope, of, per, add }, resetsAt });
    }
    const settle = (actual: Spending | "estimate") => budgets.settle(reserved.reservation, actual);
    try {
      const reply = await pool.ask(request);
      const settled = await settle(spendingOf(reply.usage, prices.get(reply.model)));
      const notices = [...reserved.notices, ...settled.notices].map((state) => describeNotice(state, currency));
      return notices.length === 0 ? reply : { ...reply, notices };
    } catch (error) {
      const known = error instanceof OutsideError && decideCharge(error) === "nothing";
      await settle(known ? { tokens: 0, money: 0, steps: 0 } : "estimate");
      throw error;
    }
  }

  return {
    client: { ask },
    choices: {
      list: () => connected.pool.list(),
      names: () => connected.pool.choose({ purpose: "chat" }).map(({ name }) => name),
    },
    budgets,
    demo,
    apply(next) {
      config = next;
      connected = connect();
    },
    close: async () => server?.stop(),
  };
}
