import { z } from "zod";
import { secret, webUrl } from "./fields.ts";

/** `models`: further models. */
export const models = z
  .array(
    z.strictObject({
      name: modelName()
        .describe("What people call it with `/model`, and what prices are given for; its `model` unless set.")
        .exactOptional(),
      url: webUrl().describe("The base of an OpenAI-compatible API."),
      api_key: secret("The key sent to that API as a bearer token.").exactOptional(),
      model: modelName().describe("What its provider calls it."),
      timeout_s: z
        .number()
        .positive()
        .max(3600)
        .describe("Seconds one call may take; `ai.timeout_s` unless set.")
        .exactOptional(),
      temperature: z
        .number()
        .min(0)
        .max(2)
        .describe("Sampling temperature; `ai.temperature` unless set.")
        .exactOptional(),
      max_tokens: z
        .int()
        .min(1)
        .max(10_000_000)
        .describe("The longest answer of one call, in tokens; `ai.max_tokens` unless set.")
        .exactOptional(),
      context_tokens: z
        .int()
        .min(500)
        .max(100_000_000)
        .describe("The longest request it takes, in tokens. Longer ones go to the others.")
        .exactOptional(),
      vision: z.boolean().describe("Whether it takes images.").exactOptional(),
      first_for: z
        .array(z.enum(["chat", "plan", "repair", "summary"]))
        .describe("What it is asked first for, before the models that stand ahead of it.")
        .exactOptional(),
    }),
  )
  .max(50)
  .describe(
    "Further models, in the order in which they stand in for the one of `ai` when that does not answer. See docs/models.md.",
  )
  .exactOptional();

/** `prices`: what models cost. */
export const prices = z
  .array(
    z.strictObject({
      model: modelName().describe("The name of a model: `ai.model`, or a name from `models`."),
      input: price("What a million tokens of input cost."),
      output: price("What a million tokens of output cost."),
      cached_input: price(
        "What a million tokens of input cost that the provider had in its cache; `input` unless set.",
      ).exactOptional(),
    }),
  )
  .max(1000)
  .superRefine((list, context) =>
    checkUnique(list, ({ model }) => model, "another price is for the same model", context),
  )
  .describe(
    "What models cost, in units of `budgets.currency` for a million tokens. A model without a price costs nothing. See docs/budgets.md.",
  )
  .exactOptional();

const budgetRule = z
  .strictObject({
    of: z.enum(["person", "conversation", "schedule", "task", "installation"]).describe("Whose spending is limited."),
    per: z.enum(["day", "month", "total"]).describe("`day` or `month`; `total` for a task and for nothing else."),
    tokens: z.int().min(0).max(1e15).describe("Tokens, input and output together.").exactOptional(),
    money: z.number().min(0).max(1e9).describe("Money, in units of the currency.").exactOptional(),
    steps: z.int().min(0).max(1e15).describe("Model calls.").exactOptional(),
  })
  .superRefine(({ of, per, tokens, money, steps }, context) => {
    if ((of === "task") !== (per === "total"))
      context.addIssue({ code: "custom", path: ["per"], message: "`total` is for a task and for nothing else" });
    if (tokens === undefined && money === undefined && steps === undefined)
      context.addIssue({ code: "custom", message: "expected at least one of tokens, money, steps" });
  });

/** `budgets`: what may be spent. */
export const budgets = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "expected three capital letters such as USD")
      .default("USD")
      .describe("The currency of all prices and budgets. It is only shown; nothing is converted."),
    zone: z
      .string()
      .refine(isZone, "is not a known time zone")
      .default("UTC")
      .describe(
        "The time zone in which days and months of conversations and of the installation begin, and those of people who have not set their own.",
      ),
    output_tokens: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(4000)
      .describe(
        "How many tokens of output are reserved before a model call. What was really used is settled after it. Where a limit in money is set, this is also the longest answer that is asked for.",
      ),
    extend: z
      .enum(["person", "admin", "nobody"])
      .default("person")
      .describe(
        "Who may let a budget that is used up grow by a quarter: the run waits for that approval. What the whole installation shares is always the administrators' matter. `nobody`: the run ends with a sentence that says why.",
      ),
    limits: z
      .array(budgetRule)
      .max(20)
      .superRefine((list, context) =>
        checkUnique(list, ({ of, per }) => `${of} ${per}`, "another entry has the same of and per", context),
      )
      .default([{ of: "person", per: "day", tokens: 100_000_000 }])
      .describe(
        "What may be spent: a list of `{ of, per, tokens, money, steps }`. The default only stops loops that run away. See docs/budgets.md.",
      ),
  })
  .prefault({})
  .describe("What may be spent, by whom and in which time.");

interface NamedModels {
  ai: { url?: string; model: string };
  models?: readonly { name?: string; model: string; first_for?: readonly string[] }[];
}

/** Refuses two models of one name, and two that are first for one purpose. */
export function checkModelNames({ ai, models = [] }: NamedModels, context: z.core.$RefinementCtx): void {
  const names = new Set(ai.url === undefined ? [] : [ai.model]);
  const first = new Set<string>();
  for (const [index, { model, name = model, first_for: purposes = [] }] of models.entries()) {
    const path = ["models", index];
    if (names.has(name))
      context.addIssue({
        code: "custom",
        path,
        message: "another model has the same name; give it a `name` of its own",
      });
    names.add(name);
    for (const purpose of purposes) {
      if (first.has(purpose)) {
        const message = `another model is first for ${purpose} already`;
        context.addIssue({ code: "custom", path: [...path, "first_for"], message });
      }
      first.add(purpose);
    }
  }
}

/** What can be typed after `/model` and stand in a Redis key. */
function modelName() {
  return z
    .string()
    .max(200)
    .regex(/^[^\s{}]+$/, "must not be empty or contain white space or braces");
}

function price(description: string) {
  return z.number().min(0).max(1e6).describe(description);
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function checkUnique<Item>(
  list: readonly Item[],
  keyOf: (item: Item) => string,
  message: string,
  context: z.core.$RefinementCtx,
): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (seen.has(keyOf(item))) context.addIssue({ code: "custom", path: [index], message });
    seen.add(keyOf(item));
  }
}
