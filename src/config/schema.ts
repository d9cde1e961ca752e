import { z } from "zod";
import { approvals } from "./approvals-schema.ts";
import { context, platformHints } from "./context-schema.ts";
import type { DeepReadonly } from "./deep-freeze.ts";
import { asSecret, secret, text, webUrl } from "./fields.ts";
import { artifacts, attachments } from "./files-schema.ts";
import { budgets, checkModelNames, models, prices } from "./spending-schema.ts";

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
    max_run_s: z
      .int()
      .min(1)
      .max(86_400)
      .default(1800)
      .describe(
        "Seconds one answer may be worked on; after that it ends with a clear message. Time in which it waits for a person or for another try does not count.",
      ),
    max_tokens: z
      .int()
      .min(1)
      .max(10_000_000)
      .describe("The longest answer of one model call, in tokens. When unset the provider's own limit counts.")
      .exactOptional(),
    temperature: z
      .number()
      .min(0)
      .max(2)
      .describe("Sampling temperature. When unset the model's own default is used.")
      .exactOptional(),
    vision: z.boolean().default(false).describe("Whether the model takes images."),
    tool_result_chars: z
      .int()
      .min(1_000)
      .max(1_000_000)
      .default(32_000)
      .describe("The most characters of a tool's result that the model is shown at once; it can read on from there."),
  })
  .prefault({})
  .describe("The model that answers. Without a URL the built-in offline demo model does.");

const server = z
  .strictObject({
    host: text()
      .default("127.0.0.1")
      .describe("The address to listen on. Anything but a loopback address is refused without `server.api_key`."),
    port: z.int().min(0).max(65_535).default(8300).describe("The port to listen on; 0 takes any free one."),
    public_url: webUrl()
      .describe(
        "The address under which people reach the server, for links in answers; without it the one it listens on.",
      )
      .exactOptional(),
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
    prompt_function: text()
      .regex(/^[^\0]+\.(ts|mts|js|mjs)$/, "expected a .ts or .js file")
      .refine(
        (file) => !/(^[/\\])|(^|[/\\])\.\.([/\\]|$)|^[A-Za-z]:/.test(file),
        "must be inside the configuration folder",
      )
      .describe(
        "A file inside the configuration folder whose default export makes the system prompt for each person. While it fails, `bot.prompt` is used. See docs/context.md.",
      )
      .exactOptional(),
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

const hooks = z
  .strictObject({
    timeout_s: z
      .number()
      .positive()
      .max(60)
      .default(5)
      .describe("Seconds one hook may take; what it would have said later does not count."),
    max_failures: z
      .int()
      .min(1)
      .max(1000)
      .default(5)
      .describe("Failures in a row after which a hook is switched off until its file is loaded again."),
  })
  .prefault({})
  .describe("Hooks: the TypeScript files in `hooks` of the configuration folder.");

const delivery = z
  .strictObject({
    late_s: z
      .int()
      .min(10)
      .max(86_400)
      .default(600)
      .describe("From which age on answers that could not be sent leave together as one message, in seconds."),
    expire_s: z
      .int()
      .min(60)
      .max(2_592_000)
      .default(86_400)
      .describe("From which age on an answer is not sent any more but put in the list of dead letters, in seconds."),
  })
  .prefault({})
  .describe("Answers on their way to chat platforms.");

const schedules = z
  .strictObject({
    max_per_person: z.int().min(0).max(10_000).default(100).describe("The most schedules one person may have."),
    min_interval_s: z
      .number()
      .min(1)
      .max(86_400)
      .default(1)
      .describe("The shortest time between two fires of a schedule, in seconds; shorter ones are refused."),
  })
  .prefault({})
  .describe("Limits of what people may schedule.");

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
    threads: z
      .enum(["busy", "always", "never"])
      .default("busy")
      .describe(
        "When a mention in a channel begins a thread: while the channel's conversation is being answered, always, or never.",
      ),
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
    context,
    models,
    prices,
    budgets,
    server,
    access: z
      .enum(["pairing", "allowlist", "open"])
      .default("pairing")
      .describe("Who may talk to the bot: people with a pairing code, people on a list, or everyone who can reach it."),
    allowed: z
      .array(text().max(200))
      .max(10_000)
      .default([])
      .describe(
        "People and chats that may always talk to the bot, by their ids, such as `slack:U042` or `telegram:-100123`.",
      ),
    delivery,
    redis,
    data_dir: text()
      .default(".data")
      .describe("The folder for what this machine keeps, such as its own Redis; relative to the working directory."),
    roles: z
      .array(z.enum(["gateway", "worker", "scheduler", "api"]))
      .min(1, "expected at least one role")
      .default(["gateway", "worker", "scheduler", "api"])
      .describe("What this process does."),
    platform_hints: platformHints,
    queue,
    admins: z
      .array(text().max(200))
      .max(1000)
      .default([])
      .describe("The people, by their user ids, who may decide about everybody's approvals."),
    approvals,
    worker,
    hooks,
    artifacts,
    attachments,
    schedules,
    log_level: z
      .enum(["debug", "info", "warn", "error", "silent"])
      .default("info")
      .describe("The least important lines that are still logged."),
    master_key: secret(
      "Encrypts the credentials people connect: 16 characters or more. Keep it safe: without it they are lost.",
      { minChars: 16 },
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
