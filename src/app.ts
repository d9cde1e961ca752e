import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { localUrl } from "./kernel/address.ts";
import { describeError } from "./kernel/errors.ts";
import { parseWorkspaceId } from "./kernel/ids.ts";
import type { PlatformName } from "./kernel/messages.ts";
import { systemClock, type NewId } from "./kernel/ports.ts";
import { Secret } from "./kernel/secret.ts";
import { createKeyData } from "./agent/privacy/stored.ts";
import { createPromptFunction } from "./agent/prompt-function.ts";
import { createApi } from "./api/create-api.ts";
import { createLiveFeed } from "./api/live-feed.ts";
import { listen } from "./api/server.ts";
import { createWebhookServer } from "./api/webhooks.ts";
import { publicBindProblem } from "./config/public-bind.ts";
import type { Config } from "./config/schema.ts";
import { describeHealth, supervise, type Supervised } from "./gateway/supervise.ts";
import { createHookFiles } from "./hooks/hook-files.ts";
import { createPages } from "./dashboard/pages.ts";
import { startCompactor } from "./engine/compactor.ts";
import { watchOldest } from "./engine/oldest.ts";
import { openModels } from "./model-source.ts";
import { loadAdapters } from "./platform-adapters.ts";
import { createRuntime, type Runtime } from "./runtime.ts";
import { createApiKeyStore } from "./store/api-keys.ts";
import { openLinkSigner } from "./store/artifact-links.ts";
import { checkRedis, fixPartitions } from "./store/check-redis.ts";
import { connectRedis } from "./store/connection.ts";
import { openRedis } from "./store/open-redis.ts";
import type { Logger } from "./telemetry/logger.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { openToolSources } from "./tool-sources.ts";
import type { Tool } from "./tools/contract.ts";

/** A running Parley process. */
export interface App {
  /** Where the page and the API answer; undefined when this process has no `api` role. */
  readonly url: string | undefined;
  /** For the operator: where Redis is. */
  readonly redis: string;
  /** True when the offline demo model answers because no model is configured. */
  readonly demo: boolean;
  /** The chat platforms this process listens to. */
  readonly platforms: readonly PlatformName[];
  /** Applies changed settings; returns the keys that count only after a restart. */
  applyConfig(config: Config): readonly string[];
  /** Stops taking work, lets runs end or hands them over, closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/** The address is public and no key protects it; `message` says what to do. */
export class RefusedToStart extends Error {
  override readonly name = "RefusedToStart";
}

/**
 * Builds every part and starts those that this process' roles need. Nothing is listened to before Redis is checked.
 * Throws `RefusedToStart`, `UnsuitableRedis` or what a part could not do; then nothing is left running.
 */
export async function startApp(options: {
  readonly config: Config;
  readonly log: Logger;
  /** Tools besides the built-in ones. */
  readonly tools?: readonly Tool[];
  /** Where the configuration came from: its `tools` folder is read as well. */
  readonly configDir: string;
}): Promise<App> {
  const { config, log } = options;
  const problem = publicBindProblem(config);
  if (problem !== undefined) throw new RefusedToStart(problem);
  const closing: (() => unknown)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= closeAll(closing, log));
  try {
    return { ...(await build(options, closing)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  { config, configDir, log, tools = [] }: Parameters<typeof startApp>[0],
  closing: (() => unknown)[],
): Promise<Omit<App, "stop">> {
  const clock = systemClock;
  const metrics = createMetrics();
  const has = (role: Config["roles"][number]) => config.roles.includes(role);

  const opened = await openRedis(config.redis, config.data_dir, log);
  closing.push(() => opened.close());
  const redis = connectRedis(opened.target, "main", log);
  closing.push(() => redis.disconnect());
  redis.on("reconnecting", () => metrics.redisReconnected());
  const facts = await checkRedis(redis);
  for (const warning of facts.warnings) log.warn({}, warning);
  const partitions = await fixPartitions(redis, config.redis.partitions);

  let current = config;
  const models = await openModels({ config, redis, newId, log });
  closing.push(() => models.close());
  const more = await openToolSources({ config, configDir, env: process.env, redis, newId, log });
  closing.push(() => more.close());
  const hookFiles = await createHookFiles({ dir: join(configDir, "hooks"), log });
  closing.push(() => hookFiles.close());
  const keys = createApiKeyStore(redis, {
    newId,
    clock,
    ...(config.server.api_key === undefined ? {} : { adminKey: config.server.api_key }),
  });
  let url: string | undefined;
  const promptFunction = createPromptFunction({
    file: () =>
      current.bot.prompt_function === undefined ? undefined : resolve(configDir, current.bot.prompt_function),
    log,
    clock,
  });
  closing.push(() => promptFunction.close());
  const runtime = createRuntime({
    promptFunction,
    adapters: await loadAdapters(config),
    config: () => current,
    redis,
    target: opened.target,
    partitions,
    model: models.client,
    budgets: models.budgets,
    metrics,
    newId,
    log,
    tools,
    toolSources: more.sources,
    mcp: more.mcp,
    models: models.choices,
    hooks: () => hookFiles.hooks(),
    ...(more.credentials === undefined ? {} : { credentials: more.credentials }),
    personalData: [...more.personalData, createKeyData(keys)],
    address: () =>
      current.server.public_url ??
      url ??
      (config.server.port === 0 ? undefined : localUrl(config.server.host, config.server.port)),
  });

  closing.push(() => Promise.all(runtime.adapters.map(async (adapter) => adapter.close?.())));
  if (has("worker")) {
    closing.push(() => runtime.presence.close());
    await runtime.worker.start();
    closing.push(() => runtime.worker.drain(config.worker.drain_s * 1000));
    const compactor = startCompactor({ lanes: runtime.lanes, clock, log });
    closing.push(() => compactor.stop());
    const onAge = (ageMs: number) => metrics.setOldestUnanswered(ageMs);
    closing.push(watchOldest({ lanes: runtime.lanes, kind: "chat", onAge, clock, log }));
  }

  const platforms = has("gateway") ? startListening(runtime, newId(), log) : [];
  closing.push(() => Promise.all(platforms.map((platform) => platform.stop())));

  const webhooks = platforms.flatMap((platform) => platform.webhooks);
  if (!has("api") && webhooks.length > 0) {
    const server = await listen(createWebhookServer(webhooks), config.server);
    closing.push(() => server.close());
  }

  if (has("scheduler")) {
    runtime.sweeper.start();
    closing.push(() => runtime.sweeper.stop());
  }

  if (has("api")) {
    const live = createLiveFeed({ connect: () => connectRedis(opened.target, "live", log), log });
    closing.push(() => live.close());
    const pages = createPages({ botName: config.bot.name });
    const api = createApi({
      door: runtime.door,
      keys,
      redis,
      live,
      memory: runtime.memory,
      links: runtime.links,
      privacy: runtime.privacy,
      tickets: runtime.tickets,
      ...(more.credentials === undefined ? {} : { credentials: more.credentials }),
      artifacts: runtime.artifacts,
      fileLinks: await openLinkSigner(redis, { lifetimeMs: () => current.artifacts.link_hours * 3_600_000, clock }),
      attachments: runtime.attachments,
      schedules: runtime.schedules,
      pairings: runtime.pairings,
      webhooks,
      admins: () => current.admins,
      tools: async () => (await runtime.catalog.toolboxFor(EVERYONE)).list(),
      ready: async () => ({
        redis: (await redis.ping()) === "PONG" ? true : "Redis does not answer",
        worker: has("worker") ? runtime.worker.ready() : true,
      }),
      notes: () => {
        const off = (runtime.hooks?.troubles() ?? []).map(({ file, point }) => `${point} of ${file} is switched off`);
        const hooks = [...hookFiles.problems(), ...off];
        return {
          ...Object.fromEntries(platforms.map((each) => [each.health().platform, describeHealth(each.health())])),
          ...(hooks.length === 0 ? {} : { hooks: hooks.join("; ") }),
        };
      },
      metrics,
      config: { host: config.server.host, hasAdminKey: config.server.api_key !== undefined },
      log,
      clock,
      newId,
      page: (request) => pages.fetch(request),
    });
    const server = await listen(api, { host: config.server.host, port: config.server.port });
    closing.push(() => server.close());
    url = server.url;
  }
  return {
    url,
    redis: opened.describe,
    demo: models.demo,
    platforms: platforms.map((platform) => platform.health().platform),
    applyConfig(next) {
      // The demo model is a server of this process: it gives way to a configured one only at a start.
      const live = (key: string) => LIVE.test(key) && !(models.demo && /^(ai\.url|models)/.test(key));
      const later = changedKeys(current, next).filter((key) => !live(key));
      models.apply(next);
      log.setLevel(next.log_level);
      current = next;
      return later;
    },
  };
}

/** Begins to listen to every platform that has somebody to listen to. */
function startListening(
  { adapters, gateway, leases, clock }: Pick<Runtime, "adapters" | "gateway" | "leases" | "clock">,
  holder: string,
  log: Logger,
): readonly Supervised[] {
  return adapters
    .filter(({ listener }) => listener !== undefined)
    .map((adapter) => supervise(adapter, { gateway, leases, holder, clock, log }));
}

/** Settings that take effect while the process runs. */
const LIVE =
  /^(access|allowed|delivery|ai|bot|context|platform_hints|server\.public_url|hooks|models|prices|budgets|artifacts|attachments|admins|approvals|queue\.mode|schedules|log_level)(\.|$)/;

function changedKeys(before: Config, after: Config): string[] {
  const flat = (value: unknown, path: string): [string, string][] =>
    typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Secret
      ? [[path, value instanceof Secret ? value.reveal() : JSON.stringify(value)]]
      : Object.entries(value).flatMap(([key, inner]) => flat(inner, path === "" ? key : `${path}.${key}`));
  const old = new Map(flat(before, ""));
  const now = new Map(flat(after, ""));
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key));
}

/** Whose tools `/v1/tools` shows: those that everybody has. */
const EVERYONE = parseWorkspaceId("everyone");

/** Undoes what was opened, the last first; one failure does not keep the rest open. */
async function closeAll(closing: (() => unknown)[], log: Logger): Promise<void> {
  for (const close of closing.toReversed()) {
    try {
      await close();
    } catch (error) {
      log.warn({ error: describeError(error) }, "a part did not stop cleanly");
    }
  }
}

/** 16 characters with 80 random bits, safe in keys, URLs and Redis channels; no dot, which separates tokens. */
const newId: NewId = () =>
  BigInt(`0x${randomBytes(10).toString("hex")}`)
    .toString(36)
    .padStart(16, "0");
