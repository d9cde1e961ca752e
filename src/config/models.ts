import type { Secret } from "../kernel/secret.ts";
import type { Config } from "./schema.ts";

/** A configured model with everything filled in that its entry leaves to `ai`. */
export interface ConfiguredModel {
  readonly name: string;
  readonly model: string;
  readonly url: string;
  readonly apiKey?: Secret;
  readonly timeoutMs: number;
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly contextTokens?: number;
  /** Set when it takes images. */
  readonly vision?: true;
  readonly price?: { readonly input: number; readonly output: number; readonly cachedInput?: number };
}

type ModelPurpose = "chat" | "plan" | "repair" | "summary";

/** All configured models in failover order, and which one is asked first for what. */
export interface ConfiguredModels {
  /** Empty when nothing is configured: then the demo model answers. */
  readonly models: readonly ConfiguredModel[];
  readonly purposes: Partial<Readonly<Record<ModelPurpose, string>>>;
}

/** Reads the models from the settings: the one of `ai`, when it has a URL, then those of `models`. Pure. */
export function configuredModels({
  ai,
  models = [],
  prices = [],
}: Pick<Config, "ai" | "models" | "prices">): ConfiguredModels {
  const entries = [...(ai.url === undefined ? [] : [{ ...ai, url: ai.url, first_for: [] }]), ...models];
  const named = entries.map((entry) => ({ ...entry, name: nameOf(entry) }));
  return {
    models: named.map((entry) => {
      const price = prices.find(({ model }) => model === entry.name);
      const temperature = entry.temperature ?? ai.temperature;
      const maxTokens = entry.max_tokens ?? ai.max_tokens;
      const contextTokens = "context_tokens" in entry ? entry.context_tokens : undefined;
      return {
        name: entry.name,
        model: entry.model,
        url: entry.url,
        timeoutMs: (entry.timeout_s ?? ai.timeout_s) * 1000,
        ...(entry.api_key === undefined ? {} : { apiKey: entry.api_key }),
        ...(temperature === undefined ? {} : { temperature }),
        ...(maxTokens === undefined ? {} : { maxTokens }),
        ...(contextTokens === undefined ? {} : { contextTokens }),
        ...(entry.vision === true ? { vision: true as const } : {}),
        ...(price === undefined ? {} : { price: readPrice(price) }),
      };
    }),
    purposes: Object.fromEntries(
      named.flatMap(({ name, first_for: purposes = [] }) => purposes.map((purpose) => [purpose, name])),
    ),
  };
}

/** Whether the model that is asked first in a chat takes images. Pure. */
export function chatTakesImages(config: Pick<Config, "ai" | "models" | "prices">): boolean {
  const { models, purposes } = configuredModels(config);
  return (models.find(({ name }) => name === purposes.chat) ?? models[0])?.vision === true;
}

/** What an operator should know about models, prices and budgets that do not go together, one sentence each. Pure. */
export function modelWarnings(config: Pick<Config, "ai" | "models" | "prices" | "budgets">): readonly string[] {
  const { models } = configuredModels(config);
  const prices = config.prices ?? [];
  const warnings = prices
    .map(({ model }, index) => ({ model, index }))
    .filter(({ model }) => model !== config.ai.model && !models.some(({ name }) => name === model))
    .map(({ index }) => `prices.${index} is for a model that is not configured: it is used for nothing.`);
  const free = models.filter(({ price }) => price === undefined);
  if (free.length > 0 && config.budgets.limits.some(({ money }) => money !== undefined)) {
    const names = free.map(({ name }) => name).join(", ");
    warnings.push(`budgets.limits has limits in money, but these models have no price and count as free: ${names}.`);
  }
  return warnings;
}

function nameOf(entry: { readonly name?: string; readonly model: string }): string {
  return entry.name ?? entry.model;
}

function readPrice({ input, output, cached_input }: NonNullable<Config["prices"]>[number]) {
  return { input, output, ...(cached_input === undefined ? {} : { cachedInput: cached_input }) };
}
