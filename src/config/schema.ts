import { z } from "zod";
import { Secret } from "../kernel/secret.ts";
import type { DeepReadonly } from "./deep-freeze.ts";

const redis = z
  .strictObject({
    url: z
      .string()
      .regex(/^(rediss?:\/\/\S+|\/\S+)$/, "expected redis://…, rediss://… or the absolute path of a Unix socket")
      .refine((url) => url.startsWith("/") || URL.canParse(url), "is not a valid URL")
      .transform(asSecret)
      .meta({ description: "One Redis server: a URL, or the absolute path of its Unix socket.", writeOnly: true })
      .exactOptional(),
    sentinels: hostPorts()
      .describe("The Sentinels that know the master, each as `host:port`. Needs `redis.sentinel_name`.")
      .exactOptional(),
    sentinel_name: text().describe("The name of the master the Sentinels watch.").exactOptional(),
    cluster_nodes: hostPorts()
      .describe("Some nodes of a Redis Cluster to start from, each as `host:port`.")
      .exactOptional(),
    password: secret(
      "The password for Sentinel and Cluster; a single server has its own in `redis.url`.",
    ).exactOptional(),
    partitions: z
      .int()
      .min(1)
      .max(1024)
      .default(1)
      .describe(
        "How many partitions conversations are spread over: 1 is best for one Redis, several per master for a Cluster. Read at the very first start only; from then on the number stored in Redis counts.",
      ),
  })
  .superRefine(checkRedis)
  .prefault({})
  .describe("Where Redis is. With none of the addresses set, a Redis of our own is started in the data folder.");

const ai = z
  .strictObject({
    url: webUrl()
      .describe("The base of an OpenAI-compatible API; the call is `POST <url>/chat/completions`.")
      .exactOptional(),
    api_key: secret("The key sent to that API as a bearer token.").exactOptional(),
    model: text().default("gpt-4.1-mini").describe("The model that is asked."),
    timeout_s: z.number().positive().max(3600).default(120).describe("Seconds one model call may take."),
    max_steps: z
      .int()
      .min(1)
      .max(1000)
      .default(30)
      .describe("Model calls one answer may take; after that it ends with a clear message."),
    history_messages: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe("The most messages of a conversation that are shown to the model."),
    history_tokens: z
      .int()
      .min(500)
      .max(10_000_000)
      .default(24_000)
      .describe("About how many tokens of a conversation are shown to the model at most."),
    temperature: z
      .number()
      .min(0)
      .max(2)
      .describe("Sampling temperature. When unset the model's own default is used.")
      .exactOptional(),
  })
  .prefault({})
  .describe("The model that answers. Without a URL the built-in offline demo model does.");

const models = z
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
      context_tokens: z
        .int()
        .min(500)
        .max(100_000_000)
        .describe("The longest request it takes, in tokens. Longer ones go to the others.")
        .exactOptional(),
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

const prices = z
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
  .superRefine((list, context) => checkUnique(list, ({ model }) => model, "has a price already", context))
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

const budgets = z
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
        "How many tokens of output are reserved before a model call. What was really used is settled after it.",
      ),
    limits: z
      .array(budgetRule)
      .max(20)
      .superRefine((list, context) => checkUnique(list, ({ of, per }) => `${of} ${per}`, "is limited already", context))
      .default([{ of: "person", per: "day", tokens: 100_000_000 }])
      .describe(
        "What may be spent: a list of `{ of, per, tokens, money, steps }`. The default only stops loops that run away. See docs/budgets.md.",
      ),
  })
  .prefault({})
  .describe("What may be spent, by whom and in which time.");

const server = z
  .strictObject({
    host: text()
      .default("127.0.0.1")
      .describe("The address to listen on. Anything but a loopback address is refused without `server.api_key`."),
    port: z.int().min(0).max(65_535).default(8300).describe("The port to listen on; 0 takes any free one."),
    api_key: secret(
      "The first admin key for the API. It is never stored; further keys are made with it.",
    ).exactOptional(),
  })
  .prefault({})
  .describe("The HTTP server: API, web chat, health and metrics.");

const bot = z
  .strictObject({
    name: text().max(100).default("Parley").describe("The bot's name."),
    prompt: text()
      .default("prompts/system.md")
      .describe("The file with the system prompt, relative to the configuration folder and inside it."),
  })
  .prefault({})
  .describe("How the bot presents itself.");

const queue = z
  .strictObject({
    mode: z
      .enum(["queue", "collect", "steer", "interrupt"])
      .default("queue")
      .describe(
        "`queue` answers one after the other, `collect` answers all waiting ones together, `steer` adds them to the answer being made, `interrupt` stops that one and starts anew.",
      ),
    max_waiting: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe("The most messages that may wait in one conversation; further ones are refused."),
  })
  .prefault({})
  .describe("What happens to messages that arrive while their conversation is being answered.");

const worker = z
  .strictObject({
    chat_concurrency: z.int().min(1).max(10_000).default(64).describe("Conversations answered at the same time."),
    delivery_concurrency: z
      .int()
      .min(1)
      .max(10_000)
      .default(128)
      .describe("Conversations delivered to at the same time."),
    drain_s: z
      .number()
      .min(0)
      .max(3600)
      .default(10)
      .describe("Seconds a stopping process gives its running steps before it hands them over."),
  })
  .prefault({})
  .describe("How much one process does at a time.");

const slack = z
  .strictObject({
    bot_token: secret("The bot token, `xoxb-…`.").exactOptional(),
    app_token: secret("The app-level token, `xapp-…`, for Socket Mode.").exactOptional(),
    signing_secret: secret("The signing secret, for events at `POST /slack/events`.").exactOptional(),
    api_url: webUrl().describe("Another address of the Slack API.").exactOptional(),
  })
  .prefault({})
  .describe("Slack: a bot token, and with it an app token for Socket Mode or a signing secret for HTTP.");

const discord = z
  .strictObject({
    token: secret("The bot token.").exactOptional(),
    api_url: webUrl().describe("Another address of the Discord API.").exactOptional(),
  })
  .prefault({})
  .describe("Discord.");

const telegram = z
  .strictObject({
    bot_token: secret("The bot token.").exactOptional(),
    api_url: webUrl().describe("Another address of the Bot API.").exactOptional(),
    webhook_url: webUrl()
      .describe(
        "The public address of `POST /telegram/webhook`. Without it, or without the secret, updates are polled.",
      )
      .exactOptional(),
    webhook_secret: secret("What Telegram sends with every update to prove itself.").exactOptional(),
  })
  .prefault({})
  .describe("Telegram: long polling, or a webhook when its URL and secret are both set.");

/**
 * Everything an operator can set, with its default. Keys are those of `parley.yaml`, units are in the names, and an
 * unknown key is refused. The reference document and the editor schema are made from the descriptions.
 */
export const configSchema = z
  .strictObject({
    bot,
    ai,
    models,
    prices,
    budgets,
    server,
    access: z
      .enum(["pairing", "allowlist", "open"])
      .default("pairing")
      .describe("Who may talk to the bot: people with a pairing code, people on a list, or everyone who can reach it."),
    redis,
    data_dir: text()
      .default(".data")
      .describe("The folder for what this machine keeps, such as its own Redis; relative to the working directory."),
    roles: z
      .array(z.enum(["gateway", "worker", "scheduler", "api"]))
      .min(1, "expected at least one role")
      .default(["gateway", "worker", "scheduler", "api"])
      .describe("What this process does."),
    queue,
    worker,
    log_level: z
      .enum(["debug", "info", "warn", "error", "silent"])
      .default("info")
      .describe("The least important lines that are still logged."),
    master_key: secret(
      "Encrypts the credentials people connect. Keep it safe: without it they are lost.",
    ).exactOptional(),
    platforms: z
      .strictObject({ slack, discord, telegram })
      .prefault({})
      .describe("Accounts on chat platforms. A platform is on when its token is set."),
  })
  .superRefine(checkModelNames)
  .describe("The configuration of Parley.");

type Settings = z.output<typeof configSchema>;

/** The settings in force: checked, with every default filled in, and unchangeable. */
export type Config = DeepReadonly<Settings & { bot: { /** What is in the file `bot.prompt`. */ prompt_text: string } }>;

function text() {
  return z.string().regex(/\S/, "must not be empty");
}

function secret(description: string) {
  return z
    .string()
    .regex(/^\S+$/, "must not be empty or contain white space")
    .transform(asSecret)
    .meta({ description, writeOnly: true });
}

function asSecret(value: string): Secret {
  return new Secret(value);
}

/** What can be typed after `/model` and stand in a Redis key. */
function modelName() {
  return z
    .string()
    .max(200)
    .regex(/^[^\s{}\p{Cc}]+$/u, "must not be empty or contain white space or braces");
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

function webUrl() {
  return z
    .url({ protocol: /^https?$/, error: "expected a URL that starts with http:// or https://" })
    .refine((url) => !/^[^/]*\/\/[^/?#]*@/.test(url), "must not contain a user name or password");
}

function hostPorts() {
  return z
    .array(
      z
        .string()
        .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+):\d{1,5}$/, "expected host:port")
        .transform((address) => {
          const colon = address.lastIndexOf(":");
          return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
        })
        .refine(({ port }) => port >= 1 && port <= 65_535, "expected a port between 1 and 65535"),
    )
    .min(1, "expected at least one host:port");
}

interface RedisAddresses {
  url?: unknown;
  sentinels?: unknown;
  sentinel_name?: unknown;
  cluster_nodes?: unknown;
}

function checkRedis(value: RedisAddresses, context: z.core.$RefinementCtx): void {
  const given = (["url", "sentinels", "cluster_nodes"] as const).filter((key) => value[key] !== undefined);
  if (given.length > 1) {
    context.addIssue({ code: "custom", path: [given[1] ?? ""], message: `set only one of ${given.join(", ")}` });
  }
  if (value.sentinels !== undefined && value.sentinel_name === undefined) {
    context.addIssue({ code: "custom", path: ["sentinels"], message: "also needs redis.sentinel_name" });
  }
}

function checkUnique<Item>(
  list: readonly Item[],
  keyOf: (item: Item) => string,
  complaint: string,
  context: z.core.$RefinementCtx,
): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const key = keyOf(item);
    if (seen.has(key)) context.addIssue({ code: "custom", path: [index], message: `${key} ${complaint}` });
    seen.add(key);
  }
}

interface NamedModels {
  ai: { url?: string; model: string };
  models?: readonly { name?: string; model: string; first_for?: readonly string[] }[];
}

function checkModelNames({ ai, models = [] }: NamedModels, context: z.core.$RefinementCtx): void {
  const names = new Set(ai.url === undefined ? [] : [ai.model]);
  const first = new Map<string, string>();
  for (const [index, { model, name = model, first_for: purposes = [] }] of models.entries()) {
    const path = ["models", index];
    if (names.has(name))
      context.addIssue({ code: "custom", path, message: `another model is called ${name}; give it a name` });
    names.add(name);
    for (const purpose of purposes) {
      const other = first.get(purpose);
      if (other !== undefined)
        context.addIssue({
          code: "custom",
          path: [...path, "first_for"],
          message: `${other} is first for ${purpose} already`,
        });
      first.set(purpose, name);
    }
  }
}
